// The objects of a file, in files of this program and all others.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cc_hdf5_common.h"

typedef struct {
  cc_h5_list *list;
  size_t room, path_bytes;
  haddr_t ancestors[CC_MAX_DEPTH + 1];
  int depth;
  const char *prefix;
  // Of the first failure: the library's iterations replace it by their own.
  int status;
  char reason[200];
} walker;

static int stop(walker *w, int status, const char *path, const char *reason) {
  if (w->status == 0) {
    w->status = status;
    if (reason) snprintf(w->reason, sizeof w->reason, "%s", reason);
    else cc_h5_error(w->reason, sizeof w->reason);
    w->list->failed = strdup(path);
  }
  return -1;
}

static int append(walker *w, const char *path, cc_h5_object object) {
  cc_h5_list *l = w->list;
  w->path_bytes += strlen(path);
  if (l->count >= CC_MAX_OBJECTS || w->path_bytes > CC_MAX_PATH_BYTES)
    return stop(w, CC_H5_TOO_LARGE, "", "more objects or longer names than a tensor file may have");
  if (l->count == w->room) {
    size_t room = w->room ? 2 * w->room : 64;
    cc_h5_object *objects = realloc(l->objects, room * sizeof *objects);
    if (!objects) return stop(w, -1, path, "out of memory");
    l->objects = objects;
    w->room = room;
  }
  if (!(object.path = strdup(path))) return stop(w, -1, path, "out of memory");
  l->objects[l->count++] = object;
  return 0;
}

static int enter_group(walker *w, hid_t group, const char *path);

static int visit_soft_link(walker *w, hid_t group, const char *name, const char *path, size_t size) {
  if (size == 0 || size > CC_MAX_PATH) return stop(w, CC_H5_REFUSED, path, "a link whose target is not a valid path");
  char *target = calloc(1, size + 1);
  if (!target) return stop(w, -1, path, "out of memory");
  if (H5Lget_val(group, name, target, size, H5P_DEFAULT) < 0) {
    free(target);
    return stop(w, -1, path, NULL);
  }
  if (append(w, path, (cc_h5_object){.kind = CC_SOFT_LINK, .target = target}) == 0) return 0;
  free(target);
  return -1;
}

static int visit_object(walker *w, hid_t object, const char *path) {
  H5O_info_t info;
  // Readers of the file see a comment, and the digest does not cover it.
  ssize_t comment = H5Oget_comment(object, NULL, 0);
  if (comment > 0) return stop(w, CC_H5_REFUSED, path, "a comment, which the digest does not cover");
  if (comment < 0 || H5Oget_info2(object, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0)
    return stop(w, -1, path, NULL);
  switch (H5Iget_type(object)) {
    case H5I_GROUP: return enter_group(w, object, path);
    case H5I_DATASET: {
      cc_h5_object entry = {.kind = CC_DATASET, .address = info.addr, .has_attributes = info.num_attrs > 0};
      return append(w, path, entry);
    }
    default: return stop(w, CC_H5_REFUSED, path, "a named data type, which the digest does not cover");
  }
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *context) {
  walker *w = context;
  char path[CC_MAX_PATH + 1];
  int length = snprintf(path, sizeof path, "%s%s%s", w->prefix, w->prefix[0] ? "/" : "", name);
  if (length < 0 || length > CC_MAX_PATH)
    return stop(w, CC_H5_TOO_LARGE, w->prefix, "a member whose path is longer than 4096 bytes");
  if (!name[0] || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return stop(w, CC_H5_REFUSED, path, "a name that is not valid in a path");
  if (link->type == H5L_TYPE_SOFT) return visit_soft_link(w, group, name, path, link->u.val_size);
  if (link->type != H5L_TYPE_HARD)
    return stop(w, CC_H5_REFUSED, path, "a link to another file; only the file itself is read");
  hid_t object = H5Oopen(group, name, H5P_DEFAULT);
  if (object < 0) return stop(w, -1, path, NULL);
  int status = visit_object(w, object, path);
  H5Oclose(object);
  return status;
}

static int enter_group(walker *w, hid_t group, const char *path) {
  H5O_info_t info;
  if (w->depth > CC_MAX_DEPTH) return stop(w, CC_H5_TOO_LARGE, path, "groups nested more than 64 levels deep");
  if (H5Oget_info2(group, &info, H5O_INFO_BASIC | H5O_INFO_NUM_ATTRS) < 0) return stop(w, -1, path, NULL);
  for (int i = 0; i < w->depth; i++)
    if (w->ancestors[i] == info.addr) return stop(w, -1, path, "a group that contains itself");
  size_t index = w->list->count;
  cc_h5_object entry = {.kind = CC_GROUP, .address = info.addr, .has_attributes = info.num_attrs > 0};
  if (append(w, path, entry) < 0) return -1;
  const char *outer = w->prefix;
  w->ancestors[w->depth++] = info.addr;
  w->prefix = path;
  herr_t status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, visit, w);
  w->prefix = outer;
  w->depth--;
  if (status < 0) return stop(w, -1, path, NULL);
  w->list->objects[index].is_empty = w->list->count == index + 1;
  return 0;
}

static int has_user_block(hid_t file) {
  hid_t creation = H5Fget_create_plist(file);
  hsize_t size = 0;
  if (creation < 0) return 0;
  if (H5Pget_userblock(creation, &size) < 0) size = 0;
  H5Pclose(creation);
  return size > 0;
}

int cc_h5_walk(cc_h5 file, cc_h5_list *list) {
  memset(list, 0, sizeof *list);
  walker w = {.list = list, .prefix = ""};
  hid_t root = H5Gopen2((hid_t)file, "/", H5P_DEFAULT);
  if (root < 0) return -1;
  if (has_user_block((hid_t)file))
    stop(&w, CC_H5_REFUSED, "", "a user block before the file, which the digest does not cover");
  else if (H5Oget_comment(root, NULL, 0) > 0) stop(&w, CC_H5_REFUSED, "", "a comment, which the digest does not cover");
  else enter_group(&w, root, "");
  H5Gclose(root);
  return w.status == 0 ? 0 : cc_h5_say(w.status, w.reason);
}

void cc_h5_list_free(cc_h5_list *list) {
  for (size_t i = 0; i < list->count; i++) {
    free(list->objects[i].path);
    free(list->objects[i].target);
  }
  free(list->objects);
  free(list->failed);
}

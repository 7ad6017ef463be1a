/// What `init --template panoptic` writes: a search for a panoptic architecture on data that it draws itself, of the
/// size that makes a whole run a matter of a minute.
enum PanopticTemplate {
  static func files(name: String) -> [(path: String, text: String)] { [("pipeline.yaml", pipeline(name))] }

  private static func pipeline(_ name: String) -> String {
    """
    # A search for a panoptic architecture, in about a minute: the networks are too small to learn much. For the whole
    # procedure, in sizes up to the paper's, see pipelines/coco.yaml of autopanoptic.
    #
    #   autopanoptic run pipeline.yaml
    #   autopanoptic plan pipeline.yaml --set finetune.recipe.updates=6
    #   autopanoptic show select.architecture
    pipeline: \(name)
    seed: 1

    # Values that stages share, as $name. A change here reaches all of them: --set let.pyramid-channels=16
    let:
      pyramid-channels: 8
      backbone:
        stem-channels: 4
        stage-channels: [8, 16, 24, 32]
        classifier-channels: 16
        init-std: inverse-root
      network:
        backbone: $backbone
        pyramid-channels: $pyramid-channels
        norm-groups: 4
        anchors: { sizes: [8, 16, 32, 48, 64] }
        proposals:
          batch-per-image: 16
          pre-nms-train: 32
          pre-nms-test: 32
          post-nms-train: 64
          post-nms-test: 16
        box-head: { hidden: 16, norm-groups: 4, batch-per-image: 8, detections-per-image: 8 }
        mask-head: { pooled-size: 4, channels: 8 }
        semantic: { channels: 8 }
        level-rule: { canonical-scale: 56 }
      pixels: { resize: { shorter-side: 64, longest-side: 64 } }

    stages:
      # Data of the layouts of ImageNet and COCO, drawn by a stage. For your own: 'uses: coco-folder', and COCO=/path in
      # the environment.
      imagenet:
        uses: imagenet-miniature
        with: { images: { class-count: 8, train-per-class: 4, validation-per-class: 1 } }
      coco:
        uses: coco-miniature
        with: { scenes: { width: 64, height: 64, train-count: 16, validation-count: 4 } }

      # Some training images are held out: candidates are measured on them.
      split:
        uses: draw-search-split
        needs: { data: coco.data }
        with: { validation-images: 4 }

      # The supernet: first its backbone on pictures of one thing each, then all of it on scenes.
      pretrain:
        uses: pretrain-supernet
        needs: { data: imagenet.data }
        with:
          backbone: $backbone
          input: { side: 32 }
          recipe: { steps: 4, batch: 4, replicas: 1, base-rate: 0.05, clipping: 0.02 }
      finetune:
        uses: finetune-supernet
        needs: { data: coco.data, split: split.split, weights: pretrain.weights }
        with:
          network: $network
          input: $pixels
          recipe: { updates: 3, batch: 1, warmup: 6, base-rate: 0.02 }

      # The search: architectures are proposed, and each is measured with the weights of the supernet, as an instance of
      # its own.
      candidates:
        uses: propose-candidates
        with: { cycles: 1, network: $network }
      evaluate:
        uses: evaluate-candidate
        for-each: candidates.architectures
        needs: { data: coco.data, split: split.split, weights: finetune.weights, architecture: each }
        with:
          recalibration: { batches: 2, batch: 2 }
          input: $pixels
          fusion: { stuff-area-limit: 16 }
      select:
        uses: select-architecture
        needs: { evaluations: evaluate.result }
        with: { network: $network }

    """
  }
}

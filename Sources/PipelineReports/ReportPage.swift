import Determinism
import Foundation
import Markup

/// The frame of a report: head, contents, sections.
struct ReportPage {
  let title: String
  let head: [MarkupNode]
  let sections: [ReportSection]
  /// The program that knows the IDs.
  let program: String

  /// The file's text: HTML that is well-formed XML too.
  var text: String {
    let html = MarkupNode("html", [("lang", "en"), ("xmlns", "http://www.w3.org/1999/xhtml")], [headElement, body])
    var out = "<!DOCTYPE html>\n"
    html.write(to: &out)
    return out + "\n"
  }

  private var headElement: MarkupNode {
    let name = title.clipped(to: 200).withoutHiddenControls
    return MarkupNode(
      "head", [],
      [
        "\n", MarkupNode("meta", [("charset", "utf-8")]), "\n",
        MarkupNode("meta", [("http-equiv", "Content-Security-Policy"), ("content", ReportPage.policy)]), "\n",
        MarkupNode("meta", [("name", "viewport"), ("content", "width=device-width, initial-scale=1")]), "\n",
        MarkupNode("meta", [("name", "color-scheme"), ("content", "light dark")]), "\n",
        MarkupNode("meta", [("name", "referrer"), ("content", "no-referrer")]), "\n",
        MarkupNode("title", [], [.text("\(name) – report")]), "\n",
        MarkupNode("style", [], [.verbatim(ReportStyle.text)]), "\n",
      ])
  }

  /// Nothing is loaded, nothing is sent, and no script runs but the one of this file.
  static var policy: String {
    func hash(_ text: String) -> String { "'sha256-\(Data(Digest(of: text).bytes).base64EncodedString())'" }
    return [
      "default-src 'none'", "img-src data:", "style-src \(hash(ReportStyle.text))",
      "script-src \(hash(ReportScript.text))", "base-uri 'none'", "form-action 'none'",
    ].joined(separator: "; ")
  }

  private var body: MarkupNode {
    let links = sections.map { section in
      MarkupNode("li", [], [MarkupNode("a", [("href", "#\(section.id)")], [HTML.text(section.title)])])
    }
    let nav = MarkupNode("nav", [("aria-label", "Contents")], [MarkupNode("ol", [], links)])
    let parts = sections.flatMap { section -> [MarkupNode] in
      let heading = MarkupNode("h2", [("id", "\(section.id)-title")], [HTML.text(section.title)])
      return [
        "\n",
        MarkupNode(
          "section", [("id", section.id), ("aria-labelledby", "\(section.id)-title")], [heading] + section.content),
      ]
    }
    return MarkupNode(
      "body", [],
      [
        "\n", MarkupNode("a", [("class", "skip"), ("href", "#content")], ["Skip to the content"]), "\n",
        MarkupNode("header", [], head), "\n",
        MarkupNode("div", [("class", "frame")], [nav, "\n", MarkupNode("main", [("id", "content")], parts)]), "\n",
        MarkupNode(
          "footer", [],
          [
            HTML.paragraph([
              "IDs are the first twelve digits of SHA-256 over the content of an artifact; ",
              HTML.code("\(program) show ID"), " prints what it holds and what made it.",
            ])
          ]), "\n", MarkupNode("script", [], [.verbatim(ReportScript.text)]), "\n",
      ])
  }
}

/// Sorts tables and opens what a link leads to. Everything can be read without it.
enum ReportScript {
  static let text = """

    'use strict';
    for (const table of document.querySelectorAll('table.sortable')) {
      const body = table.tBodies[0];
      const key = function (row, column) {
        const data = row.cells[column].querySelector('data');
        const text = row.cells[column].textContent.trim();
        return data ? Number(data.value) : text !== '' ? (isNaN(text) ? text : Number(text)) : null;
      };
      Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
        const button = document.createElement('button');
        button.type = 'button';
        while (head.firstChild) { button.appendChild(head.firstChild); }
        head.appendChild(button);
        button.addEventListener('click', function () {
          const up = head.getAttribute('aria-sort') !== 'ascending';
          for (const other of table.tHead.rows[0].cells) { other.removeAttribute('aria-sort'); }
          head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
          const rows = Array.from(body.rows);
          rows.sort(function (a, b) {
            const x = key(a, column), y = key(b, column);
            if (x === null || y === null) { return (x === null) - (y === null); }
            const order = typeof x === 'number' ? (typeof y === 'number' ? x - y : -1)
              : typeof y === 'number' ? 1 : x.localeCompare(y, 'en', { numeric: true });
            return up ? order : -order;
          });
          for (const row of rows) { body.appendChild(row); }
        });
      });
    }
    const reveal = function () {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!target) { return; }
      for (let place = target; place; place = place.parentElement) {
        if (place.tagName === 'DETAILS') { place.open = true; }
      }
      target.scrollIntoView();
    };
    window.addEventListener('hashchange', reveal);
    if (location.hash) { reveal(); }

    """
}

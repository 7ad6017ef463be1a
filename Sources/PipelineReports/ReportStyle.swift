/// The style sheet: one column, one accent, light and dark, paper.
enum ReportStyle {
  static let text = colours + page + parts + drawings + paper

  /// Every pair of text and ground has a contrast of 4.5 to 1 at least.
  private static let colours = """

    :root {
      color-scheme: light dark;
      --ground: #ffffff; --raised: #f6f7f9; --line: #dfe3e8; --text: #1b1f24; --quiet: #57606a; --accent: #0b57b7;
      --good: #1a6b34; --good-ground: #e4f4e8; --bad: #a8201a; --bad-ground: #fdeaea;
      --open: #7a4d00; --open-ground: #fdf1d8; --part: #0b57b7; --part-ground: #e3eefb;
      --c0: #0072b2; --c1: #c65000; --c2: #00805c; --c3: #a8538a; --c4: #a16e00; --c5: #2f86bd; --c6: #6f6200;
      --c7: #555555;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #14171b; --raised: #1d2126; --line: #343a42; --text: #e7eaee; --quiet: #a3acb6; --accent: #7db4f5;
        --good: #79d092; --good-ground: #14301d; --bad: #ff9d97; --bad-ground: #3a1816;
        --open: #f0c36a; --open-ground: #33270d; --part: #8fc0f8; --part-ground: #14283f;
        --c0: #58b0e8; --c1: #f08a45; --c2: #3ec79b; --c3: #dc92c2; --c4: #e8b13c; --c5: #8fd0f5; --c6: #c9b94a;
        --c7: #b0b0b0;
      }
    }

    """

  private static let page = """
    * { box-sizing: border-box }
    html { font: 100%/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial,
      sans-serif; background: var(--ground); color: var(--text); -webkit-text-size-adjust: 100%;
      scroll-padding-top: 1rem }
    body { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: break-word }
    header, .frame, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem }
    header { padding-top: 3.5rem; padding-bottom: 1rem }
    footer { margin-top: 4rem; padding-top: 1rem; padding-bottom: 3rem; color: var(--quiet); font-size: .875rem }
    main { min-width: 0 }
    section { margin-top: 3.5rem }
    h1 { font-size: 2.5rem; line-height: 1.15; letter-spacing: -.02em; font-weight: 650; margin: .25rem 0 .5rem }
    h2 { font-size: 1.375rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 650; margin: 0 0 1.25rem;
      padding-top: .75rem; border-top: 1px solid var(--line) }
    h3 { font-size: 1rem; font-weight: 600; margin: 2.25rem 0 .75rem }
    p { margin: .75rem 0; max-width: 44rem }
    ul, ol { padding-left: 1.25rem }
    a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: .06em }
    a:focus-visible, button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
      outline: 2px solid var(--accent); outline-offset: 2px }
    code { font: .875em/1.5 ui-monospace, 'SF Mono', 'Cascadia Mono', 'Liberation Mono', Menlo, Consolas, monospace;
      unicode-bidi: isolate }
    a.id { text-decoration: none }
    a.id:hover { text-decoration: underline }
    .eyebrow { color: var(--quiet); font-size: .875rem; margin: 0 }
    .lead { color: var(--quiet); font-size: 1.0625rem; margin: 0 0 1.75rem }
    .note { color: var(--quiet); font-size: .9375rem }
    .warning { color: var(--bad); white-space: pre-wrap }
    .skip { position: absolute; left: -999rem }
    .skip:focus { left: 1rem; top: 1rem; background: var(--ground); padding: .5rem }
    nav { font-size: .9375rem; margin-top: 2rem }
    nav ol { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .125rem 1rem }
    nav a { color: var(--quiet); text-decoration: none; display: inline-block; padding: .25rem 0 }
    nav a:hover { color: var(--accent) }
    @media (min-width: 68rem) {
      .frame { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); column-gap: 2.5rem }
      nav { position: sticky; top: 1.5rem; align-self: start; margin-top: 3.5rem; padding-top: .75rem }
      nav ol { display: block }
    }

    """

  private static let parts = """
    .verdict { border: 1px solid var(--line); border-left: 4px solid var(--open); background: var(--raised);
      border-radius: 6px; padding: .25rem 1.25rem }
    .verdict.good { border-left-color: var(--good) }
    .verdict.bad { border-left-color: var(--bad) }
    .root { overflow-wrap: anywhere }
    .cards { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: .75rem;
      grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)) }
    .cards li { border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem; min-width: 0 }
    .cards span, .cards strong, .cards a, .cards code { display: block; overflow-wrap: anywhere }
    .cards strong { font-size: 1.75rem; line-height: 1.25; font-weight: 600; letter-spacing: -.01em }
    .cards strong.range { font-size: 1.25rem; line-height: 1.75; white-space: nowrap }
    .cards .what { font-size: .875rem }
    .cards .from, .cards code { color: var(--quiet); font-size: .8125rem }
    .badge { display: inline-block; border-radius: 4px; padding: .0625rem .5rem; font-size: .8125rem; font-weight: 600;
      color: var(--quiet); background: var(--raised); border: 1px solid currentColor }
    .badge.good, .badge.cached { color: var(--good); background: var(--good-ground) }
    .badge.bad, .badge.failed { color: var(--bad); background: var(--bad-ground) }
    .badge.open, .badge.stale { color: var(--open); background: var(--open-ground) }
    .badge.partial { color: var(--part); background: var(--part-ground) }
    .table { margin: 1.25rem 0 }
    .scroll { overflow-x: auto; max-width: 100% }
    table { border-collapse: collapse; font-size: .9375rem; line-height: 1.4; min-width: min(24rem, 100%) }
    caption { text-align: left; color: var(--quiet); padding: 0 0 .5rem; font-size: .875rem }
    th, td { text-align: left; vertical-align: baseline; padding: .4375rem 1.25rem .4375rem 0;
      border-bottom: 1px solid var(--line) }
    th:last-child, td:last-child { padding-right: 0 }
    @media (max-width: 36rem) { th, td { padding-right: .75rem } }
    thead th { color: var(--quiet); font-weight: 600; font-size: .8125rem; white-space: nowrap }
    tbody th { font-weight: 500 }
    .n { text-align: right; white-space: nowrap }
    td code, th code { white-space: nowrap }
    th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer }
    th button::after { content: ' \\2195'; opacity: .55 }
    [aria-sort=ascending] button::after { content: ' \\2191'; opacity: 1 }
    [aria-sort=descending] button::after { content: ' \\2193'; opacity: 1 }
    dl { margin: .75rem 0; font-size: .9375rem }
    dl div { display: grid; grid-template-columns: minmax(7rem, 11rem) minmax(0, 1fr); gap: 0 1rem; padding: .1875rem 0 }
    @media (max-width: 36rem) { dl div { display: block; padding: .375rem 0 } }
    dt { color: var(--quiet) }
    dd { margin: 0; overflow-wrap: anywhere }
    details { border-bottom: 1px solid var(--line) }
    details details { border: 0 }
    summary { cursor: pointer; padding: .5rem 0 }
    summary .name { font-weight: 600 }
    details[open] { padding-bottom: 1rem }
    pre { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem;
      overflow-x: auto; max-height: 32rem; margin: .75rem 0 1.25rem }
    .digest { font-size: .75rem }

    """

  private static let drawings = """
    figure { margin: 1.25rem 0 }
    figcaption { color: var(--quiet); font-size: .875rem; margin-top: .5rem }
    svg, img { max-width: 100%; height: auto }
    svg { font-family: inherit }
    .graph svg { max-width: none; display: block; margin: 0 auto }
    .curves svg { display: block; margin: .5rem 0 }
    .curves { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .5rem 0 }
    .curves figcaption { flex-basis: 100% }
    .figures { display: flex; flex-wrap: wrap; gap: 1.5rem }
    .figures figure { margin: 0; max-width: 100% }
    .paper img, .paper svg { background: #ffffff; border: 1px solid var(--line); border-radius: 4px; padding: 4px;
      display: block; color: #1b1f24 }
    .label { fill: var(--quiet) }
    path.grid { stroke: var(--line) }
    path.line { fill: none }
    .line.c0 { stroke: var(--c0) } .line.c1 { stroke: var(--c1) } .line.c2 { stroke: var(--c2) }
    .line.c3 { stroke: var(--c3) } .line.c4 { stroke: var(--c4) } .line.c5 { stroke: var(--c5) }
    .line.c6 { stroke: var(--c6) } .line.c7 { stroke: var(--c7) }
    .dot.c0 { fill: var(--c0) } .dot.c1 { fill: var(--c1) } .dot.c2 { fill: var(--c2) } .dot.c3 { fill: var(--c3) }
    .dot.c4 { fill: var(--c4) } .dot.c5 { fill: var(--c5) } .dot.c6 { fill: var(--c6) } .dot.c7 { fill: var(--c7) }
    path.edge { stroke: var(--quiet) } path.tip { fill: var(--quiet) }
    text.name { fill: var(--text) } text.kind, text.word { fill: var(--quiet) }
    .box { fill: var(--raised); stroke: var(--quiet) } .bar { fill: var(--ground) } .done { fill: var(--quiet) }
    .box.cached { fill: var(--good-ground); stroke: var(--good) } .word.cached, .done.cached { fill: var(--good) }
    .box.failed { fill: var(--bad-ground); stroke: var(--bad) } .word.failed, .done.failed { fill: var(--bad) }
    .box.stale { fill: var(--open-ground); stroke: var(--open) } .word.stale, .done.stale { fill: var(--open) }
    .box.partial { fill: var(--part-ground); stroke: var(--part) } .word.partial, .done.partial { fill: var(--part) }

    """

  private static let paper = """
    @media print {
      :root { color-scheme: light; --ground: #ffffff; --raised: #ffffff; --line: #c9ced4; --text: #000000;
        --quiet: #444b52; --accent: #000000; --good: #1a6b34; --good-ground: #ffffff; --bad: #a8201a;
        --bad-ground: #ffffff; --open: #7a4d00; --open-ground: #ffffff; --part: #0b57b7; --part-ground: #ffffff;
        --c0: #0072b2; --c1: #c65000; --c2: #00805c; --c3: #a8538a; --c4: #a16e00; --c5: #2f86bd; --c6: #6f6200;
        --c7: #555555 }
      @page { margin: 18mm 15mm }
      html { font-size: 9.5pt }
      header, .frame, footer { max-width: none; padding-left: 0; padding-right: 0 }
      header { padding-top: 0 }
      .frame { display: block }
      nav, .skip { display: none }
      section { margin-top: 2rem }
      h2, h3, summary, caption { break-after: avoid }
      tr, .paper, .curves svg, .verdict, .cards li, dl div { break-inside: avoid }
      .curves { display: block }
      .figures figure { max-width: 48% }
      .figures { gap: .75rem }
      thead { display: table-header-group }
      .scroll { overflow: visible }
      .graph svg { max-width: 100%; max-height: 22cm }
      table { min-width: 0; font-size: 8.5pt }
      td code, th code { white-space: normal; overflow-wrap: anywhere }
      .digest { font-size: 6.5pt; white-space: nowrap }
      pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; overflow: visible }
      details:not(.long)::details-content { content-visibility: visible; block-size: auto }
      details.long { display: none }
      th button::after { content: '' !important }
      a { text-decoration: none; color: inherit }
    }

    """
}

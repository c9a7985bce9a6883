// Walks the boxes of a page; gives a sentence for each that a reader would call broken.
// Run in the page as a function of { allowed }: selectors of what may be cut on purpose.
({ allowed }) => {
  const SLACK = 1.5;
  // What cuts its content keeps room around it for the outline of what has the focus.
  const OUTLINE = 4;
  const problems = [];

  const named = (element) => {
    const parts = [element.localName];
    if (element.id) parts.push("#" + element.id);
    if (typeof element.className === "string" && element.className) parts.push("." + element.className.trim().replace(/\s+/g, "."));
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
    return `${parts.join("")} “${text}”`;
  };
  const complain = (what, element, more = "") => problems.push(`${what}: ${named(element)}${more}`);

  // A closed fold cuts off its body: what is behind it is nothing that is seen. `folds` are the
  // lower edges of the closed folds around an element.
  const CUTTING = "details.fold:not([open]) > .fold-body";
  const behindFold = (folds, box) => folds.some((edge) => box.bottom > edge + SLACK);

  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) problems.push(`the page scrolls sideways: ${page.scrollWidth} of ${innerWidth}`);

  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true });
  // To ask for the style or the place of what is closed would lay it out first.
  const isClosed = (element) => element.parentElement.matches("details:not([open], .fold)") && !isVisible(element);
  const cuts = (value) => value === "hidden" || value === "clip";
  const scrolls = (value) => value === "auto" || value === "scroll";
  const cutOnPurpose = allowed.join(",");
  const sticking = new Set();
  let texts = 0;

  // Visible elements that were compared with their siblings: asking again for what they are like
  // would take a third of the time.
  const seen = new Map();
  const look = (element) => {
    const style = getComputedStyle(element);
    return { style, display: style.display, box: element.getBoundingClientRect(), mayBeCut: element.matches(cutOnPurpose) };
  };

  // `around` is the box of the bubble that the element must stay in, if any.
  const walk = (element, around, folds, scrolled) => {
    if (!seen.has(element) && isClosed(element)) return;
    const { style, display, box, mayBeCut } = seen.get(element) ?? look(element);
    if (!seen.has(element) && display !== "contents" && !isVisible(element)) return;
    if (mayBeCut || behindFold(folds, box)) return;
    const isFold = element.matches(CUTTING);
    const isInline = display === "inline" || display === "contents";
    let inner = around;
    if (!isInline) {
      const { overflowX, overflowY } = style;
      const { clientWidth, scrollWidth } = element;
      const wide = scrollWidth > clientWidth + SLACK;
      const high = element.scrollHeight > element.clientHeight + SLACK;
      // A picture that is not shown is words in its place; what is below it says the same.
      if (!isFold && element.localName !== "img" && ((wide && cuts(overflowX)) || (high && cuts(overflowY)))) complain("cut off", element);
      if ((wide && scrolls(overflowX)) || (high && scrolls(overflowY))) {
        const reached = element.tabIndex >= 0 || element.querySelector("a[href], button, input, summary, [tabindex='0']");
        if (!reached) complain("scrolls, and no key reaches it", element);
      }
      const sticksOut = scrollWidth > clientWidth + OUTLINE;
      if (sticksOut && !scrolled && overflowX === "visible" && clientWidth > 0) sticking.add(element);
      if (overflowX !== "visible" || overflowY !== "visible") inner = null;
      scrolled ||= scrolls(overflowX);
      overlaps(element, isFold ? [...folds, box.bottom] : folds);
    }
    // Of what stands in a line, a space at its end may hang out; more shows as content of its block.
    const isPlaced = () => ["static", "relative"].includes(style.position);
    if (around && !isInline && isPlaced() && box.width > 0 && box.height > 0) {
      if (box.right > around.right + OUTLINE || box.left < around.left - OUTLINE) complain("sticks out of its bubble sideways", element);
      if (box.bottom > around.bottom + SLACK) complain("sticks out of its bubble below", element);
    }
    if (element.matches("article.bubble")) inner = box;
    if (isFold) folds = [...folds, box.bottom];
    for (const child of element.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) zeroSized(child, element);
      // What stands inside drawings and formulas is placed by their own rules.
      else if (child.nodeType === Node.ELEMENT_NODE && child instanceof HTMLElement) walk(child, inner, folds, scrolled);
    }
  };

  const overlaps = (parent, folds) => {
    const boxes = [];
    for (const child of parent.children) {
      if (!isVisible(child)) continue;
      const looked = look(child);
      seen.set(child, looked);
      const { style, display, box } = looked;
      if (display === "inline" || display === "contents") continue;
      if (style.position !== "static" && style.position !== "relative") continue;
      // Text flows around what floats, in a box that goes on behind it.
      if (style.float !== "none") continue;
      if (looked.mayBeCut) continue;
      if (box.width > 0 && box.height > 0 && !behindFold(folds, box)) boxes.push([box, child]);
    }
    boxes.sort((one, other) => one[0].top - other[0].top);
    const open = [];
    for (const [box, child] of boxes) {
      for (let at = open.length - 1; at >= 0; at--) {
        const [earlier, sibling] = open[at];
        if (earlier.bottom <= box.top + SLACK) { open.splice(at, 1); continue; }
        if (earlier.right > box.left + SLACK && earlier.left < box.right - SLACK) complain("overlaps", child, ` and ${named(sibling)}`);
      }
      open.push([box, child]);
    }
  };

  const range = document.createRange();
  const zeroSized = (text, parent) => {
    if (!/[\p{L}\p{N}]/u.test(text.data)) return;
    texts += 1;
    range.selectNodeContents(text);
    const box = range.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) complain("text without a size", parent);
  };

  walk(document.body, null, [], false);
  for (const element of sticking) {
    const deepest = ![...sticking].some((other) => other !== element && element.contains(other));
    if (deepest) complain("its content sticks out", element, ` by ${element.scrollWidth - element.clientWidth}px`);
  }
  return { problems, texts };
}

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

  // A closed fold cuts off its body: what is behind it is nothing that is seen.
  const CUTTING = "details.fold:not([open]) > .fold-body";
  const behindFold = (element, box) => {
    for (let body = element.parentElement?.closest(CUTTING); body; body = body.parentElement.closest(CUTTING)) {
      if (box.bottom > body.getBoundingClientRect().bottom + SLACK) return true;
    }
    return false;
  };

  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) problems.push(`the page scrolls sideways: ${page.scrollWidth} of ${innerWidth}`);

  const isVisible = (element) => element.checkVisibility({ visibilityProperty: true });
  const cuts = (value) => value === "hidden" || value === "clip";
  const scrolls = (value) => value === "auto" || value === "scroll";
  const mayBeCut = allowed.join(",");
  const sticking = new Set();
  let texts = 0;

  const walk = (element, bubble, scrolled) => {
    const style = getComputedStyle(element);
    if (style.display === "none") return;
    if (style.display !== "contents" && !isVisible(element)) return;
    const box = element.getBoundingClientRect();
    if (element.matches(mayBeCut) || behindFold(element, box)) return;
    const isInline = style.display === "inline" || style.display === "contents";
    let inner = bubble;
    if (!isInline) {
      const wide = element.scrollWidth > element.clientWidth + SLACK;
      const high = element.scrollHeight > element.clientHeight + SLACK;
      // A picture that is not shown is words in its place; what is below it says the same.
      if (!element.matches(CUTTING) && element.localName !== "img" && ((wide && cuts(style.overflowX)) || (high && cuts(style.overflowY)))) complain("cut off", element);
      if ((wide && scrolls(style.overflowX)) || (high && scrolls(style.overflowY))) {
        const reached = element.tabIndex >= 0 || element.querySelector("a[href], button, input, summary, [tabindex='0']");
        if (!reached) complain("scrolls, and no key reaches it", element);
      }
      const sticksOut = element.scrollWidth > element.clientWidth + OUTLINE;
      if (sticksOut && !scrolled && style.overflowX === "visible" && element.clientWidth > 0) sticking.add(element);
      if (style.overflowX !== "visible" || style.overflowY !== "visible") inner = null;
      scrolled ||= scrolls(style.overflowX);
      overlaps(element);
    }
    // Of what stands in a line, a space at its end may hang out; more shows as content of its block.
    const isPlaced = style.position === "static" || style.position === "relative";
    if (bubble && !isInline && isPlaced && box.width > 0 && box.height > 0) {
      const around = bubble.getBoundingClientRect();
      if (box.right > around.right + OUTLINE || box.left < around.left - OUTLINE) complain("sticks out of its bubble sideways", element);
      if (box.bottom > around.bottom + SLACK) complain("sticks out of its bubble below", element);
    }
    if (element.matches("article.bubble")) inner = element;
    for (const child of element.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) zeroSized(child, element);
      // What stands inside drawings and formulas is placed by their own rules.
      else if (child.nodeType === Node.ELEMENT_NODE && child instanceof HTMLElement) walk(child, inner, scrolled);
    }
  };

  const overlaps = (parent) => {
    const boxes = [];
    for (const child of parent.children) {
      const style = getComputedStyle(child);
      if (style.display === "none" || style.display === "inline" || style.display === "contents") continue;
      if (style.position !== "static" && style.position !== "relative") continue;
      // Text flows around what floats, in a box that goes on behind it.
      if (style.float !== "none") continue;
      if (!isVisible(child) || child.matches(mayBeCut)) continue;
      const box = child.getBoundingClientRect();
      if (box.width > 0 && box.height > 0 && !behindFold(child, box)) boxes.push([box, child]);
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

  walk(document.body, null, false);
  for (const element of sticking) {
    const deepest = ![...sticking].some((other) => other !== element && element.contains(other));
    if (deepest) complain("its content sticks out", element, ` by ${element.scrollWidth - element.clientWidth}px`);
  }
  return { problems, texts };
}

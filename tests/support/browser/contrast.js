// The contrast of every text `within` that can be seen, by the colours the browser computed.
// Gives { texts, faint }: how many were looked at, and a sentence for each below what it needs.
(within) => {
  const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const faint = new Map();
  let texts = 0;

  // Red, green, blue from 0 to 255 and alpha from 0 to 1, for any colour CSS can write.
  const read = (colour) => {
    if (known.has(colour)) return known.get(colour);
    const plain = colour.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
    let found = plain ? [+plain[1], +plain[2], +plain[3], plain[4] === undefined ? 1 : +plain[4]] : null;
    if (!found) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
      found = [red, green, blue, alpha / 255];
    }
    known.set(colour, found);
    return found;
  };
  const over = (top, below) => {
    const alpha = top[3];
    return [0, 1, 2].map((at) => top[at] * alpha + below[at] * (1 - alpha)).concat(1);
  };
  const light = ([red, green, blue]) => {
    const [r, g, b] = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const grounds = new Map();
  const groundOf = (element) => {
    if (element === null) return read(getComputedStyle(document.documentElement).backgroundColor);
    if (grounds.has(element)) return grounds.get(element);
    const own = read(getComputedStyle(element).backgroundColor);
    const found = own[3] === 1 ? own : over(own, groundOf(element.parentElement));
    grounds.set(element, found);
    return found;
  };
  const opacityOf = (element) => {
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= +getComputedStyle(at).opacity;
    return opacity;
  };
  const look = (element, style, text) => {
    texts += 1;
    const ground = groundOf(element);
    const ink = read(style.color).slice();
    ink[3] *= opacityOf(element);
    const found = contrast(over(ink, ground), ground);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    const needed = isLarge ? 3 : 4.5;
    if (found >= needed) return;
    const path = [];
    for (let at = element; at && path.length < 3; at = at.parentElement) {
      const names = typeof at.className === "string" ? at.className.trim().split(/\s+/).filter(Boolean) : [];
      path.unshift([at.localName, ...names].join("."));
    }
    const key = `${path.join(" > ")}: ${style.color} on rgb(${ground.slice(0, 3).map(Math.round)})`;
    if (!faint.has(key)) faint.set(key, `${key} is ${found.toFixed(2)} of ${needed}: “${text.trim().slice(0, 40)}”`);
  };

  for (const element of document.querySelectorAll(`${within}, ${within} *`)) {
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const words = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (words.length) look(element, style, words[0].data);
    for (const pseudo of ["::before", "::after", "::marker"]) {
      const made = getComputedStyle(element, pseudo);
      const label = made.content.match(/^"(.*)"/s);
      if (label && label[1].trim()) look(element, made, label[1]);
    }
    if (element.localName === "input" && element.placeholder) {
      look(element, getComputedStyle(element, "::placeholder"), element.placeholder);
    }
  }
  return { texts, faint: [...faint.values()] };
}

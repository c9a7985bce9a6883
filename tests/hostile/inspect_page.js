// What a page is like after content had its chance: everything that content must not have done.
({ sentinel, interacted }) => {
  const problems = [];
  const say = (what, element) => problems.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
  const forbidden = `iframe,object,embed,base,style,template,noscript,svg,textarea,form,link,meta,
    script,frame,frameset,applet,marquee,portal,dialog,slot,map,area,param,source,video,canvas,
    select,fencedframe,maction,mglyph,malignmark,annotation-xml`.split(/[\s,]+/);
  const ourPath = /^\/(completions|remote-image|static)(\/|\?|$)/;
  const seen = new Set();
  for (const element of document.querySelectorAll("*")) {
    const inside = element.closest(".bubble");
    const name = element.localName;
    if (inside && forbidden.includes(name)) {
      const preview = name === "iframe" && interacted && element.getAttribute("src").startsWith("/remote-image/");
      if (!preview) say("an element of content", element);
    }
    if (element instanceof HTMLUnknownElement || name.includes("-")) say("unknown element", element);
    if (element.shadowRoot) say("a shadow", element);
    if (name === "script" && !(element.getAttribute("src") ?? "").startsWith("/static/")) say("a script", element);
    for (const { name: attribute, value } of element.attributes) {
      if (/^(on|style$|srcdoc|hx-on|hx-swap-oob|data-hx|hx-vals|hx-trigger|xlink|ping)/.test(attribute)) say(attribute, element);
      if (/^hx-(get|post|put|patch|delete)$/.test(attribute) && !ourPath.test(value)) say(attribute, element);
    }
    if (element.id) {
      if (seen.has(element.id)) say("an id that stands twice", element);
      seen.add(element.id);
      if (!/^[a-z]+(-[a-z0-9]+)*$/.test(element.id) || element.id.includes("pwned")) say("an id not of ours", element);
    }
    if (name === "a" && element.hasAttribute("href")) checkLink(element);
  }
  function checkLink(link) {
    // The address of a link in an SVG is no URL that has been parsed, as that of one in HTML is.
    const address = link.namespaceURI.endsWith("svg") ? new URL(link.href.baseVal, location) : link;
    if (address.origin === location.origin) {
      const path = address.pathname;
      if (path === location.pathname) return;
      if (path.includes("pwned") || (link.closest(".bubble") && !ourPath.test(path))) say("a link to us", link);
      return;
    }
    if (!["http:", "https:", "mailto:"].includes(address.protocol)) say("a link by another scheme", link);
    for (const needed of ["noopener", "noreferrer", "nofollow"]) {
      if (!link.relList.contains(needed)) say("a link without rel", link);
    }
    if (address.username || address.password) say("a link with a user", link);
  }
  const kept = [
    document.getElementById("main")?.localName === "main",
    document.querySelectorAll("main").length === 1,
    [...document.forms].every((form) => form.matches(".open-box, .keep-line form, .bar-actions > .pin") || !document.querySelector(".transcript")),
    [document.getElementById, document.querySelector, document.addEventListener].every(
      (method) => typeof method === "function"
    ),
    document.body.parentElement === document.documentElement,
    document.title.endsWith("Readback"),
    typeof window.htmx !== "object" || typeof window.htmx.version === "string",
  ];
  kept.forEach((holds, at) => holds || problems.push(`the page itself is not what it was (${at})`));
  const bubbles = [...document.querySelectorAll("article.bubble")];
  const isAlone = (bubble) => {
    const section = bubble.parentElement;
    const skipped = !bubble.checkVisibility({ contentVisibilityAuto: true });
    return (
      /-s\d+$/.test(bubble.dataset.messageId) &&
      bubble.textContent.includes(`${sentinel} `) &&
      section.matches("main section.page") &&
      !section.closest(".bubble") &&
      bubble.checkVisibility() &&
      (skipped || bubble.getBoundingClientRect().height > 20)
    );
  };
  return {
    problems,
    bubbles: bubbles.length,
    sentinels: bubbles.filter(isAlone).length,
    tooWide: document.documentElement.scrollWidth - innerWidth,
    violations: window.violations ?? [],
    path: location.pathname,
  };
};

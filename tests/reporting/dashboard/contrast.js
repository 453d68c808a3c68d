// Contrast as WCAG 2.2 defines it, of what stands on the page.
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

function rgba(colour) {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
}

const over = (top, below) => [0, 1, 2].map((at) => (top[at] * top[3] + below[at] * (255 - top[3])) / 255).concat(255);

/** Relative luminance of an opaque colour. */
function luminance(colour) {
  const parts = colour.slice(0, 3).map((part) => part / 255);
  const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}

function ratio(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

/** The colour behind an element's text: all backgrounds from the page's to its own. */
function behind(node) {
  const chain = [];
  for (let at = node; at; at = at.parentElement) chain.unshift(rgba(getComputedStyle(at).backgroundColor));
  return chain.reduce((below, top) => over(top, below), [255, 255, 255, 255]);
}

const told = (colour, node) => ratio(over(rgba(colour), behind(node)), behind(node));

/** Texts, those in plots and placeholders too, whose contrast is below ``enough``. */
function paleTexts(enough) {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = [...document.querySelectorAll("input[placeholder]")].map((field) =>
    ["placeholder", told(getComputedStyle(field, "::placeholder").color, field)]);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), node = walker.currentNode.parentElement;
    if (!text || node.closest("script, style, noscript, option, [aria-hidden]") || !node.getClientRects().length) continue;
    const style = getComputedStyle(node);
    seen.push([text.slice(0, 40), told(node.namespaceURI.endsWith("svg") ? style.fill : style.color, node)]);
  }
  return seen.filter(([, contrast]) => contrast < enough).map(([text, contrast]) => `${text}: ${contrast.toFixed(2)}`);
}

/** Colours of lines and points whose contrast to a plot's card is below ``enough``. */
const paleLines = (enough) => [...COLOURS, REST, SIMPLE].filter((one) => told(one, document.querySelector("figure")) < enough);

"use strict";
const report = JSON.parse(document.getElementById("data").textContent);

// Text goes in as text only: names come from files.
function element(tag, attributes, ...children) {
  const svg = ["svg", "g", "rect", "line", "path", "circle", "text", "title"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.map(child => child instanceof Node ? child : String(child)));
  return node;
}
const fixed = (value, digits) => value.toFixed(digits);

// columns: [heading, number?, value, text]; a click sorts by value. What is not there comes last.
function table(columns, rows) {
  const body = element("tbody");
  const fill = list => body.replaceChildren(...list.map(row => element("tr", {},
    ...columns.map(([, number, value, text]) => element("td", number ? {class: "number"} : {}, (text || value)(row))))));
  const heads = columns.map(([title, number, value]) => {
    const head = element("th", number ? {class: "number"} : {}, title);
    head.onclick = () => {
      const down = head.getAttribute("aria-sort") ? head.getAttribute("aria-sort") === "ascending" : number;
      heads.forEach(h => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const missing = row => value(row) === undefined || value(row) === null;
      const order = (a, b) => number ? value(a) - value(b) : String(value(a)).localeCompare(String(value(b)));
      fill([...rows].sort((a, b) => missing(a) || missing(b) ? missing(a) - missing(b) : down ? order(b, a) : order(a, b)));
    };
    return head;
  });
  fill(rows);
  return element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
}

function legend(kinds) {
  const box = element("div", {class: "legend"});
  for (const k of kinds) {
    box.append(element("span", {}, element("svg", {viewBox: "0 0 12 12"}, element("rect", {width: 12, height: 12, rx: 2, class: k})), k));
  }
  return box;
}

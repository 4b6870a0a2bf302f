// Builds elements. Data only ever becomes text nodes and attributes.

const SVG = 'http://www.w3.org/2000/svg';

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'dataset') Object.assign(node.dataset, value);
    else if (name in node && !name.startsWith('aria') && typeof value !== 'string') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export function icon(path) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

export const ICONS = {
  hash: 'M8 3 6.5 17M13.5 3 12 17M3.5 7.5h13.5M3 12.5h13.5',
  home: 'M3.5 9.5 10 4l6.5 5.5M5.5 8.5V16h9V8.5M8.5 16v-4h3v4',
  chat: 'M4 4.5h12v8.5H9l-3.5 3v-3H4z',
  eye: 'M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5ZM10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  dots: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  down: 'm5.5 8 4.5 4.5L14.5 8',
  check: 'm4.5 10.5 3.5 3.5 7.5-8',
  close: 'm5.5 5.5 9 9m0-9-9 9',
  send: 'M3.5 10 16.5 4l-4 12.5-3-5zM9.5 11.5 16.5 4',
  warning: 'M10 3.5 2.8 16h14.4zM10 8.5v3.5M10 14.2h.01',
  zap: 'M11 2.5 4.5 11.5H9L8.5 17.5l7-9.5H11z',
  file: 'M5.5 3h6l3.5 3.5V17h-9.5zM11.5 3v3.5H15',
  block: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM5 5l10 10',
  archive: 'M3.5 4.5h13v3h-13zM5 7.5V16h10V7.5M8.5 10.5h3',
};

let last = 0;

export function newId(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}

export function place(popup, anchor) {
  // Fixed beside its anchor, above it where there is no room below.
  const box = anchor.getBoundingClientRect();
  popup.style.position = 'fixed';
  popup.style.minWidth = `${Math.min(box.width, innerWidth - 16)}px`;
  const width = popup.offsetWidth;
  const height = popup.offsetHeight;
  const below = innerHeight - box.bottom - 8;
  popup.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
  popup.style.top = below >= height || below >= box.top
    ? `${box.bottom + 4}px`
    : `${Math.max(8, box.top - height - 4)}px`;
}

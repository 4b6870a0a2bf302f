// A popup menu beside a button: arrow keys, Home, End, first letters, Escape.

import { h, place } from './dom.js';

let open = null;

export function closeMenu() {
  if (!open) return;
  const { list, anchor } = open;
  open = null;
  list.remove();
  anchor.setAttribute('aria-expanded', 'false');
}

export function openMenu(anchor, items) {
  const again = open?.anchor === anchor;
  closeMenu();
  if (again) return;
  const rows = items.map((item) => h('button', {
    type: 'button', role: item.checked === undefined ? 'menuitem' : 'menuitemradio', tabindex: '-1',
    'aria-checked': item.checked === undefined ? undefined : String(item.checked),
    onclick: () => { closeMenu(); anchor.focus(); item.run(); },
  }, item.before ?? null, h('span', {}, item.label, item.note ? h('small', {}, item.note) : null)));
  const list = h('div', { class: 'menu', role: 'menu' }, rows);
  (anchor.closest('dialog') ?? document.body).append(list);
  place(list, anchor);
  anchor.setAttribute('aria-expanded', 'true');
  open = { list, anchor };
  list.addEventListener('keydown', (event) => keys(event, rows, anchor));
  (rows.find((row) => row.getAttribute('aria-checked') === 'true') ?? rows[0])?.focus();
}

function keys(event, rows, anchor) {
  const at = rows.indexOf(document.activeElement);
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  if (event.key in moves) {
    event.preventDefault();
    rows[(moves[event.key] + rows.length) % rows.length].focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); }
    closeMenu();
    anchor.focus();
  } else if (event.key.length === 1) {
    const next = [...rows.slice(at + 1), ...rows].find((row) => row.textContent.toLowerCase().startsWith(event.key.toLowerCase()));
    next?.focus();
  }
}

document.addEventListener('pointerdown', (event) => {
  if (open && !open.list.contains(event.target) && !open.anchor.contains(event.target)) closeMenu();
}, true);
window.addEventListener('resize', closeMenu);

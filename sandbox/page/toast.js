// Short notices that go by themselves. Those that tell of a failure are read out at once.

import { h, icon, ICONS } from './dom.js';

const STAYS = { wrong: 9000, quiet: 4000 };

export function toast(text, kind = 'quiet') {
  const close = h('button', { type: 'button', class: 'icon', 'aria-label': 'Dismiss' }, icon(ICONS.close));
  const node = h('div', { class: `toast ${kind}`, role: kind === 'wrong' ? 'alert' : 'status' },
    icon(kind === 'wrong' ? ICONS.warning : ICONS.check), h('p', {}, text), close);
  close.addEventListener('click', () => node.remove());
  // An open dialog hides what is outside it, from the eye and from screen readers.
  const dialogs = document.querySelectorAll('dialog[open]');
  const home = dialogs.length ? dialogs[dialogs.length - 1] : document.getElementById('toasts');
  home.append(node);
  setTimeout(() => node.remove(), STAYS[kind]);
}

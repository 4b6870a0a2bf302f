// SendGrid's suppression lists: which of them hold a contact's mailbox, since when, and what follows.

import { h, icon, ICONS } from './dom.js';
import { formatDate } from './mrkdwn.js';

const FORM = '{date_short_pretty}, {time}';

export function makeLists(act) {
  let drawn = '';
  const rows = h('ul');
  const lift = h('button', { type: 'button', class: 'chip-button', title: "Take it off in SendGrid's console", onclick: () => act({ do: 'relieve' }, 'Lift') }, 'Lift');
  const outcome = h('p');
  const node = h('section', { class: 'lists', 'aria-labelledby': 'lists-title', hidden: true },
    h('h3', { id: 'lists-title' }, "SendGrid's lists"),
    h('div', { 'aria-live': 'polite' }, rows, h('div', { class: 'sends-on' }, outcome, lift)));

  function row({ name, at, why }) {
    const since = h('time', { datetime: new Date(at * 1000).toISOString() }, formatDate(at, FORM));
    return h('li', {}, icon(ICONS.block),
      h('div', {}, h('strong', {}, name), h('small', {}, 'since ', since), why && h('p', {}, why)));
  }

  return {
    node,
    show(one, visible) {
      node.hidden = !visible;
      const signature = JSON.stringify([one.email, one.suppressed, one.lists, one.lists.map(({ at }) => formatDate(at, FORM))]);
      if (signature === drawn) return;
      drawn = signature;
      rows.replaceChildren(...one.lists.map(row));
      outcome.textContent = one.suppressed ? `SendGrid sends no more: ${one.suppressed}.`
        : one.lists.length ? 'SendGrid still sends.' : 'On no list: SendGrid sends.';
      lift.hidden = !one.lists.length;
    },
  };
}

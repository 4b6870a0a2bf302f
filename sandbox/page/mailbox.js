// A mailbox: the last e-mail that arrived, and the ways to have no more of them.

import { h, icon, ICONS } from './dom.js';
import { clock, failures, time, told } from './told.js';

export function makeMailbox(act) {
  let drawn = '';
  let statuses = '';

  const top = h('div', { class: 'letters' });
  const why = h('span', { class: 'choice-of-failure' });
  const node = h('div', { class: 'mailbox' }, top,
    h('div', { class: 'sends', role: 'group', 'aria-label': 'Acme writes' },
      h('span', { class: 'caption' }, 'Acme writes'),
      h('button', { type: 'button', class: 'button', onclick: () => act({ do: 'send', by: 'email' }, 'Deliver') }, 'Deliver'),
      h('button', { type: 'button', class: 'button', onclick: () => act({ do: 'send', by: 'email', code: why.firstChild.value }, 'Bounce') }, 'Bounce'), why));

  function letter(mail) {
    return h('section', { class: 'letter', 'aria-label': 'The last e-mail' },
      h('header', {}, h('strong', {}, 'Acme'), h('small', {}, time(mail.at))),
      h('h3', {}, mail.subject), h('p', {}, mail.body),
      h('div', { class: 'ways' },
        h('button', { type: 'button', class: 'button', dataset: { key: 'unsubscribe' }, onclick: () => act({ do: 'unsubscribe' }, 'Unsubscribe') }, 'Unsubscribe'),
        h('button', { type: 'button', class: 'button', dataset: { key: 'spam' }, onclick: () => act({ do: 'complain' }, 'Report spam') }, 'Report spam'),
        h('button', { type: 'button', class: 'button', dataset: { key: 'sendgrid' }, title: 'The link that SendGrid puts below each e-mail', onclick: () => act({ do: 'unsubscribe', by: 'sendgrid' }, 'Opt out at SendGrid') }, 'Opt out at SendGrid')),
      h('a', { href: mail.page, target: '_blank', rel: 'noopener noreferrer', title: mail.link, dataset: { key: 'link' } }, 'Open the unsubscribe link'),
      h('small', { class: 'answered' }, `${mail.status} `, mail.told && told(mail.told)));
  }

  function draw(one) {
    const newest = one.mails[one.mails.length - 1];
    const arrived = one.mails.filter((mail) => mail.arrived).pop();
    const focus = top.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    top.replaceChildren(
      ...(newest.arrived ? [] : [h('p', { class: 'note lost' }, icon(ICONS.warning), h('span', {}, newest.status === 'dropped' ? 'The newest e-mail was not even sent. ' : `The newest e-mail came back: ${newest.reason}. `, told(newest.told)))]),
      ...(arrived ? [letter(arrived)] : []));
    if (focus) top.querySelector(`[data-key="${focus}"]`)?.focus();
  }

  return {
    node,
    show(one, all) {
      if (statuses !== JSON.stringify(all)) { statuses = JSON.stringify(all); why.replaceChildren(failures(all)); }
      const signature = JSON.stringify([one.id, one.mails, one.mails.map((mail) => clock(mail.at))]);
      if (signature === drawn) return;
      drawn = signature;
      draw(one);
    },
  };
}

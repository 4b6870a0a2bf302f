// One webhook from Optin: what it says, and whether its signature holds.

import { h, icon, ICONS } from './dom.js';
import { moment } from './newsletter_time.js';

const TYPES = {
  'contact.changed': 'Contact changed',
  'consent.changed': 'Consent changed',
  'block.changed': 'Block changed',
  'bounce.changed': 'Bounce changed',
  'case.changed': 'Re-opt-in changed',
  'webhook.test': 'Test',
};
const MEDIA = { sms: 'Texts', email: 'E-mails' };

export function eventRow(event) {
  const { verified, type, data } = event;
  return h('li', { class: verified ? 'event' : 'event unverified' },
    h('div', { class: 'event-line' },
      h('strong', {}, verified ? TYPES[type] ?? type : 'Unverified request'),
      h('span', { class: verified ? 'pill good' : 'pill stop' }, icon(verified ? ICONS.check : ICONS.warning), verified ? 'Verified' : 'Not verified')),
    verified ? said(event) : h('p', {}, event.problem),
    h('p', { class: 'faint' }, h('time', {}, moment(event.at)), event.times > 1 ? ` · delivered ${event.times} times` : ''),
    h('details', {},
      h('summary', {}, verified ? h('code', {}, type) : 'What was sent'),
      h('p', { class: 'id' }, event.id || 'no webhook-id'),
      h('pre', { tabindex: '0' }, typeof data === 'string' ? data : JSON.stringify(data, null, 1))));
}

// An event may concern both media, as Do not contact does; or no answer, as a second reason does.
function said({ type, subscriber, changes }) {
  if (type === 'webhook.test') return null;
  return h('p', {}, h('bdi', {}, subscriber || 'Not on this list'),
    changes.length ? changes.map(({ medium, before, after }) => ` · ${MEDIA[medium]}: ${word(before)} → ${word(after)}`) : ' · the answer stays the same');
}

function word(answer) {
  return answer ?? 'no answer';
}

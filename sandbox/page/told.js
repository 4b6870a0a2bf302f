// What the app answered to a provider, in a few words.

import { h } from './dom.js';
import { formatDate } from './mrkdwn.js';

const FAILURES = { ct: 'nobody there', rt: 'no answer in time' };

export function told(sent) {
  if (!sent) return h('span', { class: 'told' }, '…');
  const tries = sent.tries > 1 ? ` · ${sent.tries} tries` : '';
  const fine = sent.status >= 200 && sent.status < 300;
  return h('span', { class: fine ? 'told' : 'told wrong', title: 'What the app answered' }, `${sent.status ?? FAILURES[sent.failure]} · ${sent.ms} ms${tries}`);
}

// By the clock of whoever is looking, as the messages beside it: one moment is not told as two.
export function clock(seconds) {
  return formatDate(seconds, '{time}');
}

export function time(seconds) {
  return h('time', { datetime: new Date(seconds * 1000).toISOString() }, clock(seconds));
}

export function failures(all) {
  // A select of the ways in which a message may fail.
  return h('select', { class: 'field', 'aria-label': 'Bounces because' },
    all.map(({ code, why }) => h('option', { value: code }, `${code} ${why}`)));
}

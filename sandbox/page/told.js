// What the app answered to a provider, in a few words.

import { h } from './dom.js';

const FAILURES = { ct: 'nobody there', rt: 'no answer in time' };

export function told(sent) {
  if (!sent) return h('span', { class: 'told' }, '…');
  const tries = sent.tries > 1 ? ` · ${sent.tries} tries` : '';
  const fine = sent.status >= 200 && sent.status < 300;
  return h('span', { class: fine ? 'told' : 'told wrong', title: 'What the app answered' }, `${sent.status ?? FAILURES[sent.failure]} · ${sent.ms} ms${tries}`);
}

export function time(seconds) {
  const shown = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
  return h('time', { datetime: new Date(seconds * 1000).toISOString() }, shown.format(seconds * 1000));
}

export function failures(all) {
  // A select of the ways in which a message may fail.
  return h('select', { class: 'field', 'aria-label': 'Bounces because' },
    all.map(({ code, why }) => h('option', { value: code }, `${code} ${why}`)));
}

// A phone: the thread with one of the company's senders, and what can be texted back.

import { h, icon, ICONS } from './dom.js';
import { clock, failures, time, told } from './told.js';

const QUICK = ['STOP', 'UNSTOP', 'HELP', 'Stop. Thank you'];

export function makePhone(act, texted) {
  let sender = null;
  let drawn = '';
  let codes = '';

  const name = h('strong');
  const about = h('small');
  const state = h('span', { class: 'state' });
  const log = h('div', { class: 'texts', role: 'log', 'aria-label': 'Texts', tabindex: '0' });
  const input = h('input', { type: 'text', class: 'field', 'aria-label': 'Text', dir: 'auto', autocomplete: 'off', maxlength: '1600' });
  const send = h('button', { type: 'submit', class: 'button primary send', 'aria-label': 'Text it' }, icon(ICONS.send));
  const form = h('form', { class: 'reply', onsubmit: (event) => { event.preventDefault(); text(input.value); input.value = ''; input.focus(); } }, input, send);
  const why = h('span', { class: 'choice-of-failure' });
  const node = h('div', { class: 'phone' },
    h('header', {}, h('div', {}, name, about), state), log, form,
    h('div', { class: 'quick', role: 'group', 'aria-label': 'Quick replies' }, QUICK.map((word) => h('button', { type: 'button', class: 'chip-button', onclick: () => text(word) }, word))),
    h('div', { class: 'sends', role: 'group', 'aria-label': 'Acme texts' },
      h('span', { class: 'caption' }, 'Acme texts'),
      h('button', { type: 'button', class: 'button', onclick: () => act({ do: 'send', by: 'sms', sender: sender.id }, 'Deliver') }, 'Deliver'),
      h('button', { type: 'button', class: 'button', onclick: () => act({ do: 'send', by: 'sms', sender: sender.id, code: why.firstChild.value }, 'Bounce') }, 'Bounce'), why));

  async function text(body) {
    const said = body.trim();
    if (said && await act({ do: 'text', sender: sender.id, text: said }, said)) texted(said);
  }

  return {
    node,
    put(body) { input.value = body; input.focus(); },
    show(one, from, all) {
      sender = from;
      const { texts, blocked } = one.threads[sender.id];
      name.textContent = sender.name;
      about.textContent = sender.name === sender.number ? '' : sender.number;
      state.replaceChildren(...(blocked ? [icon(ICONS.block), 'Blocked'] : []));
      input.placeholder = `Text as ${one.name.split(' ')[0].slice(0, 20)}`;
      if (codes !== JSON.stringify(all)) { codes = JSON.stringify(all); why.replaceChildren(failures(all)); }
      const signature = JSON.stringify([one.id, sender.id, texts, texts.map((text) => clock(text.at))]);
      if (signature === drawn) return;
      drawn = signature;
      log.replaceChildren(...(texts.length ? texts.map(bubble) : [h('p', { class: 'nothing' }, 'No texts yet')]));
      log.scrollTop = log.scrollHeight;
    },
  };
}

function bubble(text) {
  const lost = text.status === 'failed' || text.status === 'undelivered';
  const mine = text.by === 'contact';
  const state = lost ? h('span', { class: 'lost-why' }, `Never arrived: ${text.code} ${text.why}`)
    : !mine && h('span', {}, text.by === 'carrier' ? 'carrier' : text.status);
  return h('div', { class: `bubble ${text.by}${lost ? ' lost' : ''}` },
    h('p', { dir: 'auto' }, text.body),
    h('small', {}, time(text.at), state, text.by !== 'carrier' && told(text.told)));
}

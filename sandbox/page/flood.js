// What concerns all contacts at once: 500 STOPs, and how Twilio treats keywords.

import { actOutside } from './api.js';
import { h } from './dom.js';
import { toast } from './toast.js';

const COUNT = 500;

export function makeFlood(page) {
  let running = false;
  const progress = h('progress', { max: COUNT, value: 0, hidden: true, 'aria-label': 'STOPs sent' });
  const result = h('p', { class: 'result', role: 'status' });
  const button = h('button', { type: 'button', class: 'button danger', onclick: start }, `${COUNT} STOPs`);
  const mark = h('input', { type: 'checkbox', onchange: () => actOutside('switch', { advanced_opt_out: mark.checked }).catch((problem) => toast(problem.message, 'wrong')) });
  const node = h('div', { class: 'flood' },
    h('div', { class: 'ways' }, button,
      h('label', { class: 'mark', title: 'Twilio marks keywords itself (OptOutType)' }, mark, 'Advanced Opt-Out')),
    progress, result);

  async function start() {
    button.disabled = true;
    try {
      await actOutside('flood', { count: COUNT });
    } catch (problem) {
      toast(problem.message, 'wrong');
      button.disabled = false;
    }
  }

  return {
    node,
    show({ flood, advanced_opt_out: marked }) {
      mark.checked = marked;
      button.disabled = Boolean(flood?.running);
      progress.hidden = !flood?.running;
      if (!flood) return;
      progress.value = flood.stops;
      if (running && !flood.running) page.tour.pressed(`${COUNT} STOPs`);
      running = flood.running;
      // Said once it is over: nobody wants every step read out.
      result.textContent = flood.running ? '' : summary(flood);
    },
  };
}

function summary({ stops, confirmations, statuses, seconds, ms }) {
  const answers = Object.entries(statuses).map(([status, count]) => `${count} × ${status}`).join(', ');
  const refused = confirmations ? ` and ${confirmations} refused confirmations` : '';
  return `${stops} STOPs${refused} in ${seconds} s: ${answers}; p50 ${ms.p50} ms, p99 ${ms.p99} ms`;
}

// The last calls and deliveries, with how long they took and what was refused.

import { readJournal } from './api.js';
import { h } from './dom.js';

const KEPT = 60;

export function makeInspector(details, node) {
  let last = 0;
  let busy = false;
  let again = false;
  let rows = new Map();

  async function refresh() {
    if (!details.open) return;
    if (busy) { again = true; return; }
    busy = true;
    const lines = await readJournal(Math.max(0, last - KEPT)).catch(() => []);
    if (lines.length) {
      last = lines[lines.length - 1].number;
      const newest = lines.slice(-KEPT).reverse();
      rows = new Map(newest.map((line) => {
        const key = `${line.number} ${line.outcome}`;
        return [key, rows.get(key) ?? row(line)];
      }));
      node.replaceChildren(...rows.values());
    }
    busy = false;
    if (again) { again = false; refresh(); }
  }

  details.addEventListener('toggle', refresh);
  return { refresh };
}

function row(line) {
  // What providers send is told by its HTTP status.
  const status = /^\d{3}$/.test(line.outcome);
  const fine = line.outcome === 'ok' || line.outcome === '…' || /^2\d\d$/.test(line.outcome);
  const body = h('div');
  const fill = () => body.replaceChildren(
    ...line.messages.map((message) => h('p', { class: 'error' }, message)),
    h('pre', { tabindex: '0' }, JSON.stringify(line.args, null, 1)));
  return h('details', { class: fine ? 'line' : 'line wrong', ontoggle: fill },
    h('summary', {},
      h('span', { class: `direction ${line.direction}`, title: line.direction === 'in' ? 'The app calls' : 'The workspace delivers' }, line.direction === 'in' ? '←' : '→'),
      h('span', { class: 'method' }, line.method),
      fine && !status ? null : h('span', { class: fine ? 'status' : 'outcome' }, line.outcome),
      h('span', { class: 'ms' }, `${line.ms} ms`)),
    body);
}

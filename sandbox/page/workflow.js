// A workflow of one step: a form for its inputs, and what came of it.

import { act } from './api.js';
import { h, icon, ICONS, newId } from './dom.js';

const USER = 'slack#/types/user_id';
const STATES = { running: 'Running…', completed: 'Completed', failed: 'Failed' };

export function makeWorkflow(page) {
  let shown = null;

  function open(step) {
    const last = page.state.step_runs.findLastIndex((run) => run.callback_id === step.callback_id);
    const fields = step.inputs.map((input) => [input, field(input)]);
    const outcome = h('div', { class: 'step-outcome', role: 'status' });
    const problem = h('p', { class: 'trouble', role: 'alert' });
    const start = h('button', { type: 'submit', class: 'button primary' }, 'Start');
    const dialog = h('dialog', { class: 'modal workflow', 'aria-label': `Workflow: ${step.title}` });
    const close = () => { dialog.close(); dialog.remove(); shown = null; };
    const form = h('form', { method: 'dialog', class: 'step-form' },
      h('header', { class: 'modal-head' }, h('h2', {}, `Workflow: ${step.title}`),
        h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: close }, icon(ICONS.close))),
      h('div', { class: 'modal-body' }, h('p', {}, step.description), fields.map(([input, [node, label]]) => h('p', { class: 'input' }, label, node, h('small', {}, input.description))), outcome),
      h('footer', { class: 'modal-foot' }, problem, start));
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      problem.replaceChildren();
      const inputs = Object.fromEntries(fields.map(([input, [node]]) => [input.name, node.value || null]));
      try {
        shown.from = page.state.step_runs.length;
        await act(page.state.me, { do: 'step', callback_id: step.callback_id, inputs });
        page.tour.pressed(`Workflow: ${step.title}`);
      } catch (failure) {
        problem.replaceChildren(icon(ICONS.warning), failure.message);
      }
    });
    dialog.addEventListener('cancel', (event) => { event.preventDefault(); close(); });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    shown = { step, outcome, from: last };
    refresh();
  }

  function field(input) {
    const id = newId('step');
    const label = h('label', { for: id }, input.title, input.required ? '' : h('small', {}, ' (optional)'));
    if (input.type !== USER) return [h('input', { id, class: 'field', type: 'text', required: input.required }), label];
    return [h('select', { id, class: 'field' },
      h('option', { value: page.state.me }, 'Person who used this workflow'),
      h('option', { value: '' }, 'Nobody')), label];
  }

  function outputs(run) {
    const named = (name) => shown.step.outputs.find((output) => output.name === name)?.title ?? name;
    return h('dl', {}, Object.entries(run.outputs).map(([name, value]) => [h('dt', {}, named(name)), h('dd', {}, String(value))]));
  }

  function refresh() {
    const run = shown && page.state.step_runs[shown.from];
    if (!run) return;
    shown.outcome.replaceChildren(h('h3', {}, STATES[run.state]), run.state === 'failed' ? h('p', {}, run.error) : outputs(run));
  }

  return { open, refresh };
}

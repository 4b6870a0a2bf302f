// Modals: native dialogs, which trap the focus and make the rest of the page inert.

import { h, icon, ICONS } from './dom.js';
import { act } from './api.js';
import { asString, plainText, textObject } from './mrkdwn.js';
import { blocks } from './blocks.js';
import { surface } from './surface.js';
import { closeMenu } from './menu.js';
import { toast } from './toast.js';

let shown = null;
let returnTo = null;

export function showModals(page, stack) {
  const view = stack[stack.length - 1];
  if (!view) { hide(); return; }
  const signature = JSON.stringify([view.id, view.hash, view.errors, stack.length]);
  if (shown?.signature === signature && shown.dialog.isConnected) return;
  const same = shown?.view.id === view.id;
  const kept = same ? shown.surface.typed() : {};
  const focus = document.activeElement?.dataset?.key;
  const caret = document.activeElement?.selectionStart;
  if (!shown) returnTo = document.activeElement;
  const dialog = shown?.dialog ?? h('dialog', { class: 'modal' });
  const body = same ? dialog.querySelector('.modal-body')?.scrollTop : 0;
  closeMenu();
  draw(page, dialog, { ...view, values: merged(view.values, kept) }, stack);
  shown.signature = signature;
  if (!dialog.isConnected) document.body.append(dialog);
  if (!dialog.open) dialog.showModal();
  dialog.querySelector('.modal-body').scrollTop = body ?? 0;
  const wrong = Object.keys(view.errors).length ? dialog.querySelector('[aria-invalid]') : null;
  const before = same && focus && dialog.querySelector(`[data-key="${CSS.escape(focus)}"]`);
  const first = wrong ?? (before || dialog.querySelector('[autofocus]') || dialog.querySelector('.modal-body :is(input, select, textarea, button)'));
  (first ?? dialog.querySelector('.modal-foot button'))?.focus();
  if (before && !wrong && caret !== null && caret !== undefined && before.setSelectionRange) {
    try { before.setSelectionRange(caret, caret); } catch { /* e-mail fields have no caret */ }
  }
}

function merged(values, kept) {
  const all = structuredClone(values);
  for (const [block, entries] of Object.entries(kept)) {
    for (const [action, value] of Object.entries(entries)) {
      if (all[block] && action in all[block]) all[block][action] = value;
    }
  }
  return all;
}

function draw(page, dialog, view, stack) {
  const place = { view: view.id };
  const me = page.state.me;
  const title = asString(view.title.text);

  const submit = async () => {
    const button = dialog.querySelector('.submit');
    if (!button || button.disabled) return;
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    problem.replaceChildren();
    try {
      const outcome = await act(me, { do: 'submit', ...place, values: on.typed() });
      if (outcome.notice) trouble(outcome.notice);
      else if (!Object.keys(outcome.errors).length) page.tour.pressed(asString(view.submit.text));
    } catch (failure) {
      trouble(failure.message);
    }
    button.disabled = false;
    button.removeAttribute('aria-busy');
  };
  const close = (whole) => act(me, { do: 'close', ...place, whole }).catch((failure) => toast(failure.message, 'wrong'));
  const trouble = (text) => problem.replaceChildren(icon(ICONS.warning), text);
  const problem = h('p', { class: 'trouble', role: 'alert' });
  const on = surface(page, place, view, { submit });

  dialog.setAttribute('aria-label', title);
  dialog.oncancel = (event) => { event.preventDefault(); close(false); };
  dialog.onkeydown = (event) => {
    const typing = event.target.closest('input, textarea, select, button, a, [role=menu]');
    if (event.key === 'Enter' && (!typing || event.ctrlKey || event.metaKey) && !event.defaultPrevented) submit();
  };
  dialog.replaceChildren(
    h('header', { class: 'modal-head' },
      stack.length > 1 ? h('span', { class: 'depth', 'aria-hidden': 'true' }, stack.map((_, index) => h('i', { class: index === stack.length - 1 ? 'on' : '' }))) : null,
      h('h2', { dir: 'auto' }, plainText(view.title.text)),
      h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', onclick: () => close(true) }, icon(ICONS.close))),
    h('div', { class: 'modal-body' }, blocks(on, view.blocks)),
    h('footer', { class: 'modal-foot' }, problem,
      h('button', { type: 'button', class: 'button', onclick: () => close(false) }, view.close ? textObject(view.close) : 'Cancel'),
      view.submit && h('button', { type: 'button', class: 'button primary submit', onclick: submit, dataset: { key: 'submit' } }, textObject(view.submit))),
  );
  shown = { dialog, view, surface: on, signature: '' };
}

function hide() {
  if (!shown) return;
  shown.dialog.close();
  shown.dialog.remove();
  shown = null;
  closeMenu();
  // The button that opened it, or what has been drawn in its place since.
  const key = returnTo?.dataset.key;
  const opener = returnTo?.isConnected ? returnTo : key && document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (opener) opener.focus();
  else document.getElementById('log').focus({ preventScroll: true });
}

// The confirm dialog of a button or a menu: true for its confirm button.
export function confirmed(data) {
  return new Promise((resolve) => {
    const dialog = h('dialog', { class: 'modal confirm', role: 'alertdialog', 'aria-label': asString(data.title.text) });
    const end = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    dialog.addEventListener('cancel', (event) => { event.preventDefault(); end(false); });
    dialog.append(
      h('header', { class: 'modal-head' }, h('h2', { dir: 'auto' }, textObject(data.title))),
      h('div', { class: 'modal-body' }, h('div', { class: 'text', dir: 'auto' }, textObject(data.text))),
      h('footer', { class: 'modal-foot' },
        h('button', { type: 'button', class: 'button', onclick: () => end(false) }, textObject(data.deny)),
        h('button', { type: 'button', class: `button ${data.style ?? 'primary'}`, autofocus: true, onclick: () => end(true) }, textObject(data.confirm))),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

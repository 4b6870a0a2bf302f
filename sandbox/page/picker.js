// A combobox with a list of offers that may come from the app: one choice, or several as chips.

import { h, icon, ICONS, newId, place } from './dom.js';
import { asString, textObject } from './mrkdwn.js';

const PAUSE = 150;

export function combobox({ id, placeholder, several, most, chosen, least, find, onchange, dataset, ...about }) {
  const listId = newId('offers');
  const picked = [...chosen];
  const input = h('input', {
    id, type: 'text', class: 'field', role: 'combobox', autocomplete: 'off', spellcheck: 'false', dir: 'auto',
    'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': listId, placeholder, dataset, ...about,
  });
  const chips = h('span', { class: 'chips' });
  const node = h('div', { class: 'combobox' }, several ? chips : null, input,
    h('span', { class: 'caret' }, icon(ICONS.down)));
  const list = h('ul', { id: listId, class: 'menu offers', role: 'listbox', 'aria-label': about['aria-label'] ?? placeholder });
  let shown = [];
  let active = -1;
  let turn = 0;
  let timer = 0;

  const label = (option) => asString(option.text.text);
  const rest = () => { if (!several) input.value = picked[0] ? label(picked[0]) : ''; else input.value = ''; };

  function drawChips() {
    chips.replaceChildren(...picked.map((option) => h('span', { class: 'chip' }, h('bdi', {}, textObject(option.text)),
      h('button', { type: 'button', 'aria-label': `Remove ${label(option)}`, onclick: () => remove(option) }, icon(ICONS.close)))));
  }

  function remove(option) {
    picked.splice(picked.indexOf(option), 1);
    drawChips();
    onchange();
    input.focus();
  }

  function close() {
    list.remove();
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
    active = -1;
  }

  function choose(option) {
    const there = picked.findIndex((one) => one.value === option.value);
    if (!several) picked.splice(0, picked.length, option);
    else if (there >= 0) picked.splice(there, 1);
    else if (!most || picked.length < most) picked.push(option);
    drawChips();
    close();
    rest();
    onchange();
  }

  function say(text) {
    shown = [];
    list.replaceChildren(h('li', { class: 'hint', role: 'option', 'aria-disabled': 'true', 'aria-selected': 'false' }, text));
    show();
  }

  function show() {
    if (!list.isConnected) (node.closest('dialog') ?? document.body).append(list);
    input.setAttribute('aria-expanded', 'true');
    place(list, node);
  }

  async function look() {
    const typed = several || input.value !== (picked[0] ? label(picked[0]) : '') ? input.value : '';
    if (typed.length < least) {
      say(least === 1 ? 'Type to search' : `Type at least ${least} characters`);
      return;
    }
    const mine = turn += 1;
    if (!list.isConnected) say('Searching…');
    let groups;
    try {
      groups = await find(typed);
    } catch (problem) {
      if (mine === turn) say(problem.message);
      return;
    }
    if (mine !== turn || document.activeElement !== input) return;
    shown = [];
    const rows = groups.flatMap((group) => {
      if (!group.options.length) return [];
      const items = group.options.map((option) => row(option));
      return group.label ? [h('li', { class: 'group', role: 'presentation' }, group.label), ...items] : items;
    });
    if (!rows.length) { say('No results'); return; }
    list.replaceChildren(...rows);
    show();
    move(0);
  }

  function row(option) {
    shown.push(option);
    return h('li', {
      id: newId('offer'), role: 'option', dataset: { at: String(shown.length - 1) },
      'aria-selected': String(picked.some((one) => one.value === option.value)),
      onpointerdown: (event) => { event.preventDefault(); choose(option); },
    }, h('bdi', {}, textObject(option.text)), option.description ? h('small', {}, textObject(option.description)) : null);
  }

  function move(to) {
    const rows = [...list.querySelectorAll('[data-at]')];
    if (!rows.length) return;
    active = (to + rows.length) % rows.length;
    rows.forEach((one, index) => one.classList.toggle('active', index === active));
    rows[active].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', rows[active].id);
  }

  input.addEventListener('focus', () => { if (!several) input.select(); });
  input.addEventListener('click', look);
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); });
  input.addEventListener('blur', () => { clearTimeout(timer); turn += 1; close(); rest(); });
  input.addEventListener('keydown', (event) => {
    const open = list.isConnected;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (open) move(active + (event.key === 'ArrowDown' ? 1 : -1));
      else look();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (open && shown[active]) choose(shown[active]);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'Backspace' && several && !input.value && picked.length) {
      remove(picked[picked.length - 1]);
    }
  });
  drawChips();
  rest();
  return { node, chosen: () => picked };
}

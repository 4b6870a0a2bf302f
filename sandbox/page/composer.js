// The field below the messages, with completion of slash commands.

import { act } from './api.js';
import { h, icon, ICONS, place } from './dom.js';
import { openMenu } from './menu.js';
import { toast } from './toast.js';

const HISTORY = [];

export function makeComposer(page, form) {
  const input = h('textarea', {
    id: 'message', rows: '1', dir: 'auto', spellcheck: 'false', 'aria-label': 'Message', role: 'combobox',
    'aria-expanded': 'false', 'aria-controls': 'commands', 'aria-autocomplete': 'list',
  });
  const list = h('ul', { id: 'commands', class: 'menu offers', role: 'listbox', 'aria-label': 'Commands' });
  const send = h('button', { type: 'submit', class: 'button primary send', 'aria-label': 'Send' }, icon(ICONS.send));
  const zap = h('button', { type: 'button', class: 'icon zap', 'aria-label': 'Shortcuts', 'aria-haspopup': 'menu', 'aria-expanded': 'false', hidden: true }, icon(ICONS.zap));
  const working = h('p', { class: 'working', role: 'status' });
  let active = 0;
  let recalled = 0;
  let running = 0;
  let thread = null;
  const threadNote = h('p', { class: 'in-thread', hidden: true });

  function answer(where, name) {
    thread = where;
    threadNote.hidden = !where;
    threadNote.replaceChildren(...(where ? [`In the thread of ${name}’s message`,
      h('button', { type: 'button', class: 'icon', 'aria-label': 'Leave the thread', onclick: () => { answer(null); input.focus(); } }, icon(ICONS.close))] : []));
    if (where) input.focus();
  }

  const matches = () => (/^\/\S*$/.test(input.value)
    ? page.state.commands.filter((command) => command.name.startsWith(input.value)) : []);

  function fit() {
    input.style.height = 'auto';
    input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
    send.disabled = !input.value.trim();
  }

  function offer() {
    fit();
    const found = matches();
    if (!found.length || found.some((command) => command.name === input.value && found.length === 1 && !command.hint && !command.description)) { hide(); return; }
    active = Math.min(active, found.length - 1);
    list.replaceChildren(...found.map((command, index) => h('li', {
      id: `command-${index}`, role: 'option', 'aria-selected': String(index === active), class: index === active ? 'active' : '',
      onpointerdown: (event) => { event.preventDefault(); complete(command); },
    }, h('strong', {}, command.name), command.hint && h('code', {}, command.hint), h('small', {}, command.description))));
    if (!list.isConnected) document.body.append(list);
    input.setAttribute('aria-expanded', 'true');
    input.setAttribute('aria-activedescendant', `command-${active}`);
    place(list, form.querySelector('.field-row'));
  }

  function hide() {
    list.remove();
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function complete(command) {
    input.value = `${command.name} `;
    hide();
    fit();
    input.focus();
  }

  // The app hears of a link while it is typed, and may say what will stand below it.
  let writing = 0;
  let linked = false;
  function write() {
    clearTimeout(writing);
    const links = /https?:\/\/\S/.test(input.value);
    if (!links && !linked) return;
    linked = links;
    writing = setTimeout(() => act(page.state.me, { do: 'write', channel: page.channel().id, text: input.value })
      .catch((problem) => toast(problem.message, 'wrong')), 300);
  }

  async function run() {
    const text = input.value.trim();
    if (!text) return;
    HISTORY.push(text);
    recalled = HISTORY.length;
    input.value = '';
    clearTimeout(writing);
    linked = false;
    hide();
    fit();
    running += 1;
    const isCommand = text.startsWith('/');
    if (isCommand && thread) {
      // https://docs.slack.dev/interactivity/implementing-slash-commands
      toast('Slack has no commands in threads.', 'wrong');
      running -= 1;
      return;
    }
    if (isCommand) working.textContent = `Running ${text.split(' ')[0]}…`;
    try {
      const outcome = await act(page.state.me, isCommand
        ? { do: 'command', channel: page.channel().id, text }
        : { do: 'say', channel: page.channel().id, text, thread_ts: thread?.ts ?? null });
      if (outcome.notice) toast(outcome.notice, 'wrong');
      else page.tour.ran(text);
    } catch (problem) {
      toast(problem.message, 'wrong');
      input.value ||= text;
      fit();
    }
    running -= 1;
    if (!running) working.textContent = '';
  }

  input.addEventListener('input', offer);
  input.addEventListener('input', write);
  input.addEventListener('blur', hide);
  input.addEventListener('keydown', (event) => {
    const found = list.isConnected ? matches() : [];
    if (found.length && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      active = (active + (event.key === 'ArrowDown' ? 1 : -1) + found.length) % found.length;
      offer();
    } else if (found.length && (event.key === 'Tab' || (event.key === 'Enter' && found[active].name !== input.value))) {
      event.preventDefault();
      complete(found[active]);
    } else if (found.length && event.key === 'Escape') {
      hide();
    } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      run();
    } else if (event.key === 'Escape' && thread) {
      answer(null);
    } else if (event.key === 'ArrowUp' && HISTORY.length && (!input.value || input.value === HISTORY[recalled])) {
      event.preventDefault();
      recalled = Math.max(0, recalled - 1);
      input.value = HISTORY[recalled];
      fit();
    }
  });
  form.addEventListener('submit', (event) => { event.preventDefault(); run(); input.focus(); });
  zap.addEventListener('click', () => openMenu(zap, [...page.state.shortcuts.filter((one) => one.kind === 'global').map((one) => ({
    label: one.name,
    run: () => act(page.state.me, { do: 'shortcut', callback_id: one.callback_id })
      .then((outcome) => (outcome.notice ? toast(outcome.notice, 'wrong') : page.tour.pressed(`Shortcut: ${one.name}`)))
      .catch((problem) => toast(problem.message, 'wrong')),
  })), ...page.state.steps.map((step) => ({ label: `Workflow: ${step.title}`, run: () => page.workflow.open(step) }))]));
  const previews = h('div', { class: 'previews', role: 'status' });
  form.append(working, previews, threadNote, h('div', { class: 'field-row' }, zap, input, send));
  fit();

  return {
    answer,
    put(text) { input.value = text; fit(); input.focus(); },
    refresh() {
      const channel = page.channel();
      if (thread && thread.channel !== channel?.id) answer(null);
      const where = channel?.direct ? page.state.app.name : `#${channel?.name}`;
      input.placeholder = channel?.archived ? `${where} is archived` : `Message ${where}`;
      input.disabled = Boolean(channel?.archived);
      previews.replaceChildren(...page.state.previews.filter((one) => one.channel === channel?.id).map((one) => h('p', { class: 'attachment' }, h('strong', {}, one.title), ' ', h('small', {}, one.url))));
      zap.hidden = !page.state.steps.length && !page.state.shortcuts.some((one) => one.kind === 'global');
    },
  };
}

// The list of messages of one channel. Only what changed is drawn again.

import { act } from './api.js';
import { h, icon, ICONS } from './dom.js';
import { blocks } from './blocks.js';
import { formatDate, mrkdwn, plainText, setReader } from './mrkdwn.js';
import { openMenu } from './menu.js';
import { surface } from './surface.js';
import { toast } from './toast.js';

const drawn = new Map();

export function showMessages(page, log, messages) {
  setReader({ names: page.state.names, zone: page.zone(), me: page.state.me });
  const top = messages.filter((one) => !one.thread_ts);
  const ordered = top.flatMap((one) => [one, ...messages.filter((reply) => reply.thread_ts === one.ts)]);
  const rows = [];
  let day = '';
  for (const one of ordered) {
    const date = formatDate(Number(one.ts), '{date_long_pretty}');
    if (date !== day && !one.thread_ts) rows.push(keep(`day ${date}`, '', () => h('div', { class: 'day' }, h('span', {}, date[0].toUpperCase() + date.slice(1)))));
    if (!one.thread_ts) day = date;
    rows.push(keep(`${page.state.me} ${one.channel} ${one.ts}`, JSON.stringify(one), () => row(page, one)));
  }
  if (!rows.length) rows.push(keep(`empty ${page.channel()?.id}`, '', () => empty(page)));
  const near = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const wanted = new Set(rows);
  for (const child of [...log.children]) if (!wanted.has(child)) child.remove();
  rows.forEach((node, index) => { if (log.children[index] !== node) log.insertBefore(node, log.children[index] ?? null); });
  if (near) showLast(log);
}

// The newest message, from its beginning where it is taller than the window.
export function showLast(log) {
  const last = log.lastElementChild;
  const bottom = log.scrollHeight - log.clientHeight;
  log.scrollTop = last ? Math.min(bottom, last.offsetTop - log.offsetTop - 8) : bottom;
}

function keep(key, signature, make) {
  const before = drawn.get(key);
  if (before?.signature === signature) return before.node;
  const focus = before?.node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const node = make();
  drawn.set(key, { signature, node });
  if (focus) queueMicrotask(() => node.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus());
  return node;
}

function empty(page) {
  const channel = page.channel();
  return h('div', { class: 'empty' },
    h('strong', {}, channel.direct ? `Messages with ${page.state.app.name}` : `#${channel.name}`),
    h('p', {}, channel.direct
      ? 'What the app tells only you, it writes here.'
      : `Nothing has been said here yet.${page.state.commands.length ? ` Type ${page.state.commands[0].name} in the field below.` : ''}`));
}

function row(page, one) {
  const author = page.person(one.user);
  const place = { channel: one.channel, ts: one.ts };
  const on = surface(page, place, one);
  const shortcuts = page.state.shortcuts.filter((shortcut) => shortcut.kind === 'message');
  const said = one.blocks.length ? blocks(on, one.blocks) : [h('div', { class: 'text', dir: 'auto' }, mrkdwn(one.text))];
  const kind = [
    'message', one.is_ephemeral && 'private', author?.bot && 'app', one.thread_ts && 'reply',
  ].filter(Boolean).join(' ');
  return h('article', { class: kind, 'aria-label': `${author?.name ?? 'Somebody'}, ${formatDate(Number(one.ts), '{time}')}`, dataset: { ts: one.ts } },
    page.avatar(author),
    h('div', { class: 'content' },
      h('header', {}, h('strong', {}, author?.name ?? 'Somebody'), author?.bot && h('span', { class: 'badge' }, 'App'),
        h('time', { datetime: new Date(Number(one.ts) * 1000).toISOString(), title: formatDate(Number(one.ts), '{date_long} {time_secs}') }, formatDate(Number(one.ts), '{time}')),
        one.edited && h('span', { class: 'edited' }, 'edited'),
        one.is_ephemeral && h('span', { class: 'only' }, icon(ICONS.eye), 'Only visible to you')),
      h('div', { class: one.blocks.length ? 'body blocks' : 'body' }, said,
        one.attachments.map((attachment) => h('div', { class: 'attachment' }, attachment.blocks ? blocks(on, attachment.blocks) : mrkdwn(attachment.text ?? attachment.fallback ?? '')))),
      one.files.map((file) => h('a', { class: 'file', href: `${new URL(file.url_private_download).pathname}?person=${page.state.me}`, download: file.name },
        icon(ICONS.file), h('bdi', {}, file.title), h('small', {}, `${file.size.toLocaleString('en-US')} bytes`))),
      Object.keys(one.reactions).length ? h('div', { class: 'reactions' },
        Object.entries(one.reactions).map(([name, users]) => h('span', { class: 'reaction' }, plainText(`:${name}:`), ` ${users.length}`))) : null),
    one.is_ephemeral ? null : more(page, one, shortcuts));
}

// What can be done with a message: an answer in its thread, and the app's shortcuts.
function more(page, one, shortcuts) {
  const thread = { channel: one.channel, ts: one.thread_ts ?? one.ts };
  const button = h('button', { type: 'button', class: 'icon more', 'aria-label': 'Message menu', 'aria-haspopup': 'menu', 'aria-expanded': 'false' }, icon(ICONS.dots));
  const offers = shortcuts.map((shortcut) => ({
    label: shortcut.name,
    note: page.state.app.name,
    run: () => act(page.state.me, { do: 'shortcut', callback_id: shortcut.callback_id, channel: one.channel, ts: one.ts })
      .then((outcome) => outcome.notice && toast(outcome.notice, 'wrong'))
      .catch((problem) => toast(problem.message, 'wrong')),
  }));
  const reply = { label: 'Reply in thread', run: () => page.composer.answer(thread, page.person(one.user)?.name ?? 'somebody') };
  button.addEventListener('click', () => openMenu(button, [reply, ...offers]));
  return button;
}

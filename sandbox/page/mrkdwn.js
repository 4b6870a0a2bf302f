// Slack's markup as nodes: *bold* _italic_ ~struck~ `code` ```pre``` > quotes, links, mentions, dates, emoji.

import { h } from './dom.js';

let emoji = {};
let names = {};
let zone = 'UTC';
let me = '';

export function setEmoji(table) { emoji = table; }

export function setReader(reader) { ({ names, zone, me } = reader); }

const DRAWN = ['✅', '🔴', '⚪', '🟡', '🚫', '🟢', '⚠️', '⚠', '❌', '☑️', '☑', '☐', '🚨', '👥', '🔕'];
const DRAWN_PATTERN = new RegExp(`(${DRAWN.join('|')})`, 'u');

function unescape(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

// Text with emoji, drawn by ourselves where they carry a status, so that they look the same everywhere.
function letters(text) {
  return text.split(DRAWN_PATTERN).filter(Boolean).map((part) => (
    DRAWN.includes(part)
      ? h('span', { class: 'emoji', dataset: { emoji: part.replace('\ufe0f', '') } }, part)
      : part));
}

function withEmoji(text) {
  return unescape(text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji[name] ?? whole));
}

export function plainText(text, replaceEmoji = true) {
  return letters(replaceEmoji ? withEmoji(text) : unescape(text));
}

export function asString(text) { return withEmoji(text); }

export function textObject(object) {
  if (!object) return [];
  return object.type === 'mrkdwn' ? mrkdwn(object.text) : plainText(object.text, object.emoji !== false);
}

export function mrkdwn(text) {
  const nodes = [];
  text.split(/```/).forEach((part, index) => {
    if (index % 2) nodes.push(h('pre', {}, unescape(part.replace(/^\n/, ''))));
    else nodes.push(...lines(part));
  });
  return nodes;
}

function lines(text) {
  const nodes = [];
  let quote = null;
  text.split('\n').forEach((line, index, all) => {
    const quoted = /^(?:&gt;|>) ?(.*)$/.exec(line);
    if (quoted) {
      if (!quote) nodes.push(quote = h('blockquote'));
      else quote.append(h('br'));
      quote.append(...inline(quoted[1]));
      return;
    }
    quote = null;
    nodes.push(...inline(line));
    if (index < all.length - 1) nodes.push(h('br'));
  });
  return nodes;
}

// A mark opens behind anything but a letter or digit, and closes before anything but one: a
// zero-width space is neither, so it lets a mark format.
const STYLES = [
  [/(^|[^\p{L}\p{N}])\*(?!\*)(\S|\S[^\n]*?\S)\*(?![\p{L}\p{N}])/u, 'strong'],
  [/(^|[^\p{L}\p{N}])_(?!_)(\S|\S[^\n]*?\S)_(?![\p{L}\p{N}])/u, 'em'],
  [/(^|[^\p{L}\p{N}])~(?!~)(\S|\S[^\n]*?\S)~(?![\p{L}\p{N}])/u, 's'],
];

function inline(text) {
  const code = /`([^`\n]+)`/.exec(text);
  if (code) return [...inline(text.slice(0, code.index)), h('code', {}, unescape(code[1])), ...inline(text.slice(code.index + code[0].length))];
  return styled(text);
}

function styled(text) {
  let first = null;
  for (const [pattern, tag] of STYLES) {
    const found = pattern.exec(text);
    if (found && (!first || found.index < first.found.index)) first = { found, tag };
  }
  if (!first) return angled(text);
  const { found, tag } = first;
  return [
    ...styled(text.slice(0, found.index) + found[1]),
    h(tag, {}, styled(found[2])),
    ...styled(text.slice(found.index + found[0].length)),
  ];
}

function angled(text) {
  return text.split(/(<[^<>\n]+>)/).filter(Boolean).flatMap((part) => (
    part.startsWith('<') && part.endsWith('>') && part.length > 2 ? reference(part.slice(1, -1)) : plainText(part)));
}

function reference(inside) {
  const date = /^!date\^(-?\d+)\^([^^|]*)(?:\^([^|]*))?(?:\|.*)?$/.exec(inside);
  if (date) return dateNode(Number(date[1]), date[2]);
  const [target, label] = inside.split(/\|(.*)/s);
  if (target.startsWith('!subteam^')) return mention(`@${names[target.slice(9)] ?? label ?? 'group'}`);
  if (target.startsWith('!')) return mention(`@${target.slice(1)}`, true);
  if (/^[@#]/.test(target)) {
    return mention(target[0] + (names[target.slice(1)] ?? label ?? target.slice(1)), target === `@${me}`);
  }
  return link(unescape(target), label ? withEmoji(label) : unescape(target).replace(/^(mailto|tel):/, ''));
}

function mention(text, mine = false) {
  return h('span', { class: mine ? 'mention mine' : 'mention' }, text);
}

export function link(href, text) {
  if (!/^(https?:|mailto:|tel:|\/)/.test(href)) return text;
  return h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, text);
}

export function dateNode(stamp, form) {
  return h('time', { datetime: new Date(stamp * 1000).toISOString() }, formatDate(stamp, form));
}

export function formatDate(stamp, form) {
  const when = new Date(stamp * 1000);
  const part = (options) => new Intl.DateTimeFormat('en-US', { timeZone: zone, ...options }).format(when);
  const iso = () => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(when);
  const number = Number(part({ day: 'numeric' }));
  const ending = number > 10 && number < 14 ? 'th' : ({ 1: 'st', 2: 'nd', 3: 'rd' }[number % 10] ?? 'th');
  const day = `${part({ month: 'long' })} ${number}${ending}, ${part({ year: 'numeric' })}`;
  const short = part({ month: 'short', day: 'numeric', year: 'numeric' });
  const pretty = (otherwise) => {
    const date = (time) => new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(time);
    const now = Date.now();
    return { [date(now)]: 'today', [date(now - 864e5)]: 'yesterday', [date(now + 864e5)]: 'tomorrow' }[iso()] ?? otherwise;
  };
  const words = {
    '{date_num}': iso, '{date}': () => day, '{date_slash}': () => part({ year: 'numeric', month: '2-digit', day: '2-digit' }),
    '{date_short}': () => short, '{date_long}': () => `${part({ weekday: 'long' })}, ${day}`,
    '{date_pretty}': () => pretty(day), '{date_short_pretty}': () => pretty(short),
    '{date_long_pretty}': () => pretty(`${part({ weekday: 'long' })}, ${day}`),
    '{time}': () => part({ hour: 'numeric', minute: '2-digit' }),
    '{time_secs}': () => part({ hour: 'numeric', minute: '2-digit', second: '2-digit' }),
  };
  return form.replace(/\{\w+\}/g, (word) => (words[word] ? words[word]() : word));
}

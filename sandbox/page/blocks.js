// Blocks of Block Kit as nodes.

import { h, icon, ICONS } from './dom.js';
import { asString, formatDate, link, mrkdwn, plainText, textObject } from './mrkdwn.js';
import { element } from './elements.js';
import { chart, table } from './figures.js';

export function blocks(surface, list) {
  return list.map((block) => {
    const build = BUILDERS[block.type];
    return build ? build(surface, block) : h('p', { class: 'unknown' }, `(a block of type ${block.type})`);
  });
}

const BUILDERS = {
  section, divider, header, context, actions, input, image, alert, markdown,
  rich_text: (surface, block) => h('div', { class: 'block' }, block.elements.map((part) => rich(surface, part))),
  table: (surface, block) => table(block, (part) => rich(surface, part)),
  data_table: (surface, block) => table(block, (part) => rich(surface, part)),
  data_visualization: (surface, block) => chart(block),
  card: (surface, block) => h('div', { class: 'card' },
    ['title', 'subtitle', 'body', 'subtext'].map((name) => block[name] && h('div', { class: `card-${name}`, dir: 'auto' }, textObject(block[name]))),
    block.actions && h('div', { class: 'actions' }, block.actions.map((one) => element(surface, block, one)))),
  container: (surface, block) => h('section', { class: 'container' },
    block.title && h('h4', {}, textObject(block.title)), blocks(surface, block.child_blocks)),
  carousel: (surface, block) => h('div', { class: 'carousel' }, blocks(surface, block.elements)),
  context_actions: actions,
};

function section(surface, block) {
  return h('div', { class: 'block section' },
    h('div', { class: 'said' },
      block.text && h('div', { class: 'text', dir: 'auto' }, textObject(block.text)),
      block.fields && h('div', { class: 'pairs' }, block.fields.map((field) => h('div', { class: 'text', dir: 'auto' }, textObject(field))))),
    block.accessory && h('div', { class: 'accessory' }, block.accessory.type === 'image'
      ? picture(block.accessory) : element(surface, block, block.accessory)));
}

function divider() { return h('hr'); }

function header(surface, block) { return h('h3', { class: 'block', dir: 'auto' }, textObject(block.text)); }

function context(surface, block) {
  return h('div', { class: 'block context' }, block.elements.map((part) => (
    part.type === 'image' ? picture(part) : h('span', { dir: 'auto' }, textObject(part)))));
}

function actions(surface, block) {
  return h('div', { class: 'block actions' }, block.elements.map((one) => element(surface, block, one)));
}

function input(surface, block) {
  const id = surface.idOf(block);
  const error = surface.errors[block.block_id];
  const label = asString(block.label.text);
  const many = ['checkboxes', 'radio_buttons'].includes(block.element.type);
  return h('div', { class: error ? 'block input wrong' : 'block input' },
    h(many ? 'span' : 'label', { class: 'label', for: many ? undefined : id }, plainText(block.label.text)),
    block.optional && h('span', { class: 'optional', 'aria-hidden': 'true' }, 'Optional'),
    element(surface, block, block.element, label),
    h('div', { id: `${id}-about`, class: 'about' },
      error && h('p', { class: 'error', role: 'alert' }, icon(ICONS.warning), plainText(error)),
      block.hint && h('p', { class: 'note' }, textObject(block.hint))));
}

// Nothing is loaded from elsewhere: an address outside this page is named instead.
function picture(data) {
  const inside = /^(data:image\/|\/(?!\/))/.test(data.image_url ?? '');
  return inside
    ? h('img', { src: data.image_url, alt: data.alt_text })
    : h('span', { class: 'picture' }, data.alt_text);
}

function image(surface, block) {
  return h('figure', { class: 'block' }, picture(block), block.title && h('figcaption', {}, textObject(block.title)));
}

function alert(surface, block) {
  const level = block.level ?? 'info';
  return h('div', { class: `block alert ${level}`, role: level === 'error' ? 'alert' : 'note' },
    icon(level === 'success' ? ICONS.check : ICONS.warning), h('div', { dir: 'auto' }, textObject(block.text)));
}

// Standard Markdown: the few marks that our messages use, translated to Slack's own.
function markdown(surface, block) {
  const text = block.text
    .replace(/^#{1,6} +(.*)$/gm, '*$1*')
    .replace(/\*\*(\S(?:[^*\n]*\S)?)\*\*/g, '*$1*')
    .replace(/\[([^\]\n]+)\]\((https?:[^)\s]+)\)/g, '<$2|$1>')
    .replace(/^[-*] +/gm, '• ');
  return h('div', { class: 'block text', dir: 'auto' }, mrkdwn(text));
}

export function rich(surface, part) {
  const inside = () => part.elements.map((one) => rich(surface, one));
  switch (part.type) {
    case 'rich_text': return h('div', {}, inside());
    case 'rich_text_section': return h('div', { class: 'text', dir: 'auto' }, inside());
    case 'rich_text_quote': return h('blockquote', {}, inside());
    case 'rich_text_preformatted': return h('pre', {}, inside());
    case 'rich_text_list': return h(part.style === 'ordered' ? 'ol' : 'ul', {}, part.elements.map((one) => h('li', {}, rich(surface, one))));
    case 'text': return wrapped(part, plainText(part.text.replace(/&/g, '&amp;'), false));
    case 'link': return link(part.url, part.text ?? part.url);
    case 'emoji': return plainText(`:${part.name}:`);
    case 'user': return h('span', { class: 'mention' }, `@${surface.nameOf(part.user_id)}`);
    case 'channel': return h('span', { class: 'mention' }, `#${surface.nameOf(part.channel_id)}`);
    case 'usergroup': return h('span', { class: 'mention' }, `@${surface.nameOf(part.usergroup_id)}`);
    case 'broadcast': return h('span', { class: 'mention mine' }, `@${part.range}`);
    case 'date': return h('time', {}, formatDate(part.timestamp, part.format));
    default: return h('span', {}, part.text ?? '');
  }
}

function wrapped(part, nodes) {
  const tags = { bold: 'strong', italic: 'em', strike: 's', code: 'code' };
  return Object.keys(tags).filter((name) => part.style?.[name]).reduce((inner, name) => [h(tags[name], {}, inner)], nodes);
}

// Who is looking, and where one can go.

import { h, icon, ICONS } from './dom.js';
import { openMenu } from './menu.js';

export function avatar(person, size = '') {
  const initials = (person?.name ?? '?').split(/\s+/).map((word) => word[0]).slice(0, 2).join('');
  return h('span', { class: `avatar ${size} tone-${tone(person?.id ?? '')}${person?.bot ? ' bot' : ''}`, 'aria-hidden': 'true' }, initials);
}

function tone(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 12 + letter.codePointAt(0)) % 997;
  return sum % 6;
}

function role(person) {
  if (person.deleted) return 'Deactivated';
  if (person.stranger) return 'Other organisation';
  return person.guest ? 'Guest' : person.title;
}

function badge(person) {
  return h('span', { class: `badge role-${role(person).toLowerCase().split(' ')[0]}` }, role(person));
}

function clock(zone) {
  return new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: 'numeric', minute: '2-digit' }).format(new Date());
}

export function showWho(page, node) {
  const me = page.person(page.state.me);
  const others = page.state.people.filter((one) => !one.bot);
  const place = (person) => `${clock(person.zone)} in ${person.zone.split('/').pop().replaceAll('_', ' ')}`;
  const button = h('button', { type: 'button', class: 'who', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-label': `You are ${me.name}. Switch person`, dataset: { key: 'who' } },
    avatar(me),
    h('span', { class: 'who-name' }, h('span', { class: 'person-row' }, h('strong', {}, me.name), badge(me)), h('small', {}, place(me))),
    icon(ICONS.down));
  button.addEventListener('click', () => openMenu(button, others.map((one) => ({
    label: h('span', { class: 'person-row' }, h('strong', {}, one.name), badge(one)),
    note: place(one), before: avatar(one, 'small'), checked: one.id === me.id, run: () => page.become(one.id),
  }))));
  node.replaceChildren(h('p', { class: 'caption' }, 'You are'), button);
}

export function showPlaces(page, node) {
  const channels = page.state.channels.filter((one) => !one.direct);
  const direct = page.state.channels.find((one) => one.direct);
  const focus = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  node.replaceChildren(
    h('p', { class: 'caption' }, 'Channels'),
    h('ul', {}, channels.map((one) => item(page, one.id, one.archived ? ICONS.archive : ICONS.hash, one.name, one.unread))),
    h('p', { class: 'caption' }, 'App'),
    h('ul', {},
      page.state.app.home && item(page, 'home', ICONS.home, `${page.state.app.name} Home`, 0),
      direct && item(page, direct.id, ICONS.chat, page.state.app.name, direct.unread, 'Direct messages with ')),
    ...(page.state.newsletter ? [
      h('p', { class: 'caption' }, 'Beside Slack'),
      h('ul', {}, h('li', {}, h('a', { class: 'place', href: '/newsletter', target: '_blank', dataset: { key: 'place newsletter' } }, icon(ICONS.send), h('span', {}, 'Newsletter'))))] : []));
  if (focus) node.querySelector(`[data-key="${CSS.escape(focus)}"]`)?.focus();
}

function item(page, id, shape, name, unread, spoken = '') {
  const here = page.where === id;
  return h('li', {}, h('button', {
    type: 'button', class: unread && !here ? 'place unread' : 'place', 'aria-current': here ? 'page' : undefined,
    'aria-label': `${spoken}${name}${unread && !here ? `, ${unread} unread` : ''}`, dataset: { key: `place ${id}` }, onclick: () => page.go(id),
  }, icon(shape), h('span', {}, name), unread && !here ? h('span', { class: 'dot', 'aria-hidden': 'true' }, String(unread)) : null));
}

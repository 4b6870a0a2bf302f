// Boots the page, keeps what it shows in step with the workspace, and moves between people and places.

import { act, listen, readEmoji, readState } from './api.js';
import { h, icon, ICONS } from './dom.js';
import { blocks } from './blocks.js';
import { makeComposer } from './composer.js';
import { makeInspector } from './inspector.js';
import { makeOutside } from './outside.js';
import { makePanel } from './panel.js';
import { showLast, showMessages } from './messages.js';
import { closeMenu } from './menu.js';
import { showModals } from './modal.js';
import { setEmoji, setReader } from './mrkdwn.js';
import { avatar, showPlaces, showWho } from './sidebar.js';
import { surface } from './surface.js';
import { toast } from './toast.js';
import { makeTour } from './tour.js';
import { makeWorkflow } from './workflow.js';

const get = (id) => document.getElementById(id);

const page = {
  state: null,
  where: '',
  avatar,
  person: (id) => page.state.people.find((one) => one.id === id),
  channel: () => page.state?.channels.find((one) => one.id === page.where),
  zone: () => page.person(page.state.me).zone,
  go,
  become,
  closeDrawers,
};

let stop = () => {};
let loading = false;
let stale = false;
let homeDrawn = '';

async function refresh() {
  if (loading) { stale = true; return; }
  loading = true;
  try {
    const me = page.state.me;
    const state = await readState(me);
    if (page.state.me === me) { page.state = state; draw(); }
  } catch (problem) {
    toast(problem.message, 'wrong');
  }
  loading = false;
  if (stale) { stale = false; refresh(); }
}

function draw() {
  const { state } = page;
  setReader({ names: state.names, zone: page.zone(), me: state.me });
  if (page.where !== 'home' && !page.channel()) page.where = state.channels[0].id;
  get('team').textContent = state.team;
  showPlaces(page, get('places'));
  const channel = page.channel();
  const atHome = page.where === 'home';
  get('log').hidden = get('composer').hidden = atHome;
  get('home').hidden = !atHome;
  get('title').textContent = atHome ? `${state.app.name} Home` : channel.direct ? state.app.name : `#${channel.name}`;
  get('topic').textContent = atHome ? '' : channel.direct ? 'Direct messages' : `${channel.topic}${channel.has_app ? '' : ` · ${state.app.name} is not in this channel`}`;
  document.title = `${get('title').textContent} · Sandbox workspace`;
  if (atHome) drawHome();
  else showMessages(page, get('log'), state.messages.filter((one) => one.channel === page.where));
  showModals(page, state.modals);
  page.composer.refresh();
  page.workflow.refresh();
  page.tour.refresh();
  page.tour.look();
  page.inspector.refresh();
  if (channel?.unread && document.visibilityState === 'visible') act(state.me, { do: 'read', channel: channel.id });
}

function drawHome() {
  const { home, me } = page.state;
  const signature = JSON.stringify([me, home?.hash]);
  if (signature === homeDrawn) return;
  homeDrawn = signature;
  const node = get('home');
  node.replaceChildren(home
    ? h('div', { class: 'home-body blocks' }, blocks(surface(page, { view: home.id }, home), home.blocks))
    : h('div', { class: 'empty' }, h('strong', {}, 'Nothing here yet'), h('p', {}, 'The app has not published a Home for you.')));
}

function go(where) {
  page.where = where;
  closeDrawers();
  homeDrawn = '';
  draw();
  showLast(get('log'));
  if (where === 'home') act(page.state.me, { do: 'home' }).then((outcome) => outcome.notice && toast(outcome.notice, 'wrong')).catch((problem) => toast(problem.message, 'wrong'));
}

async function become(name, then = () => {}) {
  closeMenu();
  const before = page.channel()?.id;
  page.state = await readState(name);
  const { me } = page.state;
  stop();
  stop = listen(me, heard, linked);
  history.replaceState(null, '', `#${page.person(me).handle}`);
  if (page.where !== 'home') page.where = page.state.channels.some((one) => one.id === before && !one.direct) ? before : page.state.channels[0].id;
  showWho(page, get('who'));
  draw();
  showLast(get('log'));
  then();
}

function heard(change) {
  if (change.type === 'journal') page.inspector.refresh();
  else if (change.type === 'outside') page.outside.refresh();
  else if (change.type !== 'notice') refresh();
}

function linked(up) {
  document.body.classList.toggle('offline', !up);
  if (up) { refresh(); page.outside.refresh(); }
}

function closeDrawers() {
  const workspace = get('workspace');
  workspace.classList.remove('show-sidebar', 'show-panel');
  get('scrim').hidden = true;
  get('menu').setAttribute('aria-expanded', 'false');
}

function toggleDrawer(name, button) {
  const workspace = get('workspace');
  const on = !workspace.classList.contains(name);
  closeDrawers();
  workspace.classList.toggle(name, on);
  get('scrim').hidden = !on;
  button.setAttribute('aria-expanded', String(on));
}

get('menu').addEventListener('click', () => toggleDrawer('show-sidebar', get('menu')));
get('scrim').addEventListener('click', closeDrawers);
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') closeDrawers(); });
document.addEventListener('visibilitychange', () => page.state && refresh());
setInterval(() => page.state && document.visibilityState === 'visible' && !document.querySelector('.menu') && showWho(page, get('who')), 60_000);

page.workflow = makeWorkflow(page);
page.composer = makeComposer(page, get('composer'));
page.tour = makeTour(page, get('tour'));
page.inspector = makeInspector(get('inspector'), get('lines'));
page.panel = makePanel(get('workspace'), toggleDrawer, closeDrawers);
page.outside = makeOutside(page, get('outside'));
get('menu').replaceChildren(icon('M3 5.5h14M3 10h14M3 14.5h14'));

setEmoji(await readEmoji());
await become(decodeURIComponent(location.hash.slice(1)) || 'ana').catch(() => become('ana'));

// "What to try": steps that fill the composer, and tick themselves off when they are done.
//
// A step with `shows` is done once a modal, or a message that is new or has changed, has all these
// texts; one with `press` once that button was pressed, by its `contact` where it has one, or once that
// shortcut or workflow was started ("Shortcut: Find a contact", "Workflow: Check status"); one with
// `texts` once its contact has texted that; one with `newsletter` once a campaign was sent; and any
// other once its command was answered.

import { h, icon, ICONS } from './dom.js';
import { mrkdwn } from './mrkdwn.js';

export function makeTour(page, node) {
  let done = new Set();
  let key = '';
  // By person, what their messages said when they were looked at last.
  const seen = new Map();

  const steps = () => page.state.tour.steps ?? [];

  function tick(index, on = true) {
    if (on) done.add(index); else done.delete(index);
    sessionStorage.setItem(key, JSON.stringify([...done]));
    draw();
  }

  function tickAll(isDone) {
    steps().forEach((step, index) => { if (!done.has(index) && isDone(step)) tick(index); });
  }

  function start(step) {
    if (step.contact || step.outside) {
      page.outside.open(step);
      return;
    }
    if (step.person) page.become(step.person, () => step.command && page.composer.put(step.command));
    else if (step.command) page.composer.put(step.command);
    page.closeDrawers();
  }

  function offer(step) {
    if (step.newsletter) return h('a', { class: 'try', href: '/newsletter', target: '_blank' }, 'Open', h('span', {}, 'Newsletter'));
    const words = step.contact || step.outside
      ? [step.texts ? h('code', {}, step.texts) : 'Open', h('span', {}, step.contact ? `as ${step.contact}` : 'Phone & mailbox')]
      : [step.command ? h('code', {}, step.command) : 'Switch', step.person && h('span', {}, `as ${step.person}`)];
    return step.contact || step.outside || step.command || step.person
      ? h('button', { type: 'button', class: 'try', onclick: () => start(step) }, words) : null;
  }

  function draw() {
    const all = steps();
    const next = all.findIndex((_, index) => !done.has(index));
    const share = all.length ? Math.round((done.size / all.length) * 100) : 0;
    const bar = h('span');
    bar.style.width = `${share}%`;
    node.replaceChildren(
      h('header', {}, h('h2', {}, page.state.tour.title ?? 'What to try'),
        h('button', { type: 'button', class: 'icon close-panel', 'aria-label': 'Close the tour', onclick: () => page.closeDrawers() }, icon(ICONS.close)),
        h('p', {}, `${done.size} of ${all.length} done`),
        h('div', { class: 'progress', role: 'progressbar', 'aria-label': 'Steps done', 'aria-valuenow': String(share), 'aria-valuemin': '0', 'aria-valuemax': '100' }, bar)),
      h('ol', {}, all.map((step, index) => h('li', { class: `${done.has(index) ? 'done' : ''}${index === next ? ' next' : ''}` },
        h('button', {
          type: 'button', class: 'tick', role: 'checkbox', 'aria-checked': String(done.has(index)), 'aria-label': `Done: ${step.title}`,
          onclick: () => tick(index, !done.has(index)),
        }, done.has(index) ? icon(ICONS.check) : String(index + 1)),
        h('div', {}, h('h3', {}, step.title), step.text && h('p', {}, mrkdwn(step.text)),
          offer(step))))));
  }

  return {
    refresh() {
      const wanted = `tour ${JSON.stringify(page.state.tour)}`;
      if (wanted === key) return;
      key = wanted;
      done = new Set(JSON.parse(sessionStorage.getItem(key) ?? '[]'));
      document.getElementById('workspace').classList.toggle('without-tour', !steps().length);
      if (steps().length) draw();
    },
    ran(command) {
      const name = page.person(page.state.me).name.toLowerCase();
      tickAll((step) => !step.shows && !step.press && step.command === command
        && (!step.person || name.startsWith(step.person.toLowerCase())));
    },
    texted(contact, text) {
      tickAll((step) => step.contact === contact && step.texts === text);
    },
    // In the workspace, or for all contacts at once.
    pressed(label) {
      tickAll((step) => !step.contact && presses(step).includes(label));
    },
    pressedOutside(contact, label) {
      tickAll((step) => step.contact === contact && presses(step).includes(label));
    },
    look() {
      const { me, messages, modals, newsletter } = page.state;
      const before = seen.get(me);
      seen.set(me, new Map(messages.map((one) => [`${one.channel} ${one.ts}`, one.plain])));
      const fresh = before ? messages.filter((one) => before.get(`${one.channel} ${one.ts}`) !== one.plain) : [];
      const screens = [...fresh, ...modals.slice(-1)].map((one) => one.plain);
      tickAll((step) => step.newsletter && newsletter?.sent);
      tickAll((step) => step.shows && screens.some((plain) => step.shows.every((text) => plain.includes(text))));
    },
  };
}

function presses(step) {
  return [step.press ?? []].flat();
}

// Somebody outside the workspace, with a phone and a mailbox. What is done here goes through the
// providers to the app.

import { actOutside, readContact, readOutside } from './api.js';
import { h, icon, ICONS } from './dom.js';
import { makeFlood } from './flood.js';
import { makeLists } from './lists.js';
import { makeMailbox } from './mailbox.js';
import { makePhone } from './phone.js';
import { combobox } from './picker.js';
import { toast } from './toast.js';

const MAILBOX = 'mailbox';

export function makeOutside(page, node) {
  let all = null;
  let one = null;
  let wanted = '';
  let asked = '';
  let where = '';
  let busy = false;
  let again = false;
  let chooserKey = '';
  let draft = null;

  const who = h('div', { class: 'who-outside' });
  const tabs = h('div', { class: 'senders', role: 'tablist', 'aria-label': 'Threads' });
  const act = async (what, label) => {
    const { id, name } = one;
    try {
      const { sent } = await actOutside('do', { contact: id, ...what });
      page.tour.pressedOutside(name, label);
      return sent;
    } catch (problem) {
      toast(problem.message, 'wrong');
      return null;
    }
  };
  const phone = makePhone(act, (text) => page.tour.texted(one.name, text));
  const mailbox = makeMailbox(act);
  const lists = makeLists(act);
  const flood = makeFlood(page);
  const pane = h('div', { class: 'pane', role: 'tabpanel', id: 'outside-pane' }, phone.node, mailbox.node);
  node.append(who, tabs, lists.node, pane, flood.node);

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      all = await readOutside();
      page.panel.offerOutside(Boolean(all.people.length));
      if (all.people.length) {
        const there = all.people.some((person) => person.id === wanted);
        const before = wanted;
        one = await readContact(there ? wanted : all.people[0].id);
        // Unless somebody has chosen another one meanwhile.
        if (wanted === before) wanted = one.id;
        draw();
      }
    } catch (problem) {
      toast(problem.message, 'wrong');
    }
    busy = false;
    if (again) { again = false; refresh(); }
  }

  function draw() {
    const places = [...(one.phone ? all.senders.map((sender) => sender.id) : []), ...(one.email ? [MAILBOX] : [])];
    where = places.includes(asked) ? asked : places[0];
    drawChooser();
    drawTabs(places);
    const sender = all.senders.find((each) => each.id === where);
    phone.node.hidden = !sender;
    mailbox.node.hidden = where !== MAILBOX;
    lists.show(one, where === MAILBOX);
    pane.setAttribute('aria-labelledby', `thread ${where}`);
    if (sender) phone.show(one, sender, all.sms_failures);
    else mailbox.show(one, all.email_failures);
    if (draft !== null && sender) { phone.put(draft); draft = null; }
    flood.show(all);
  }

  function drawChooser() {
    const key = JSON.stringify([one.id, all.people.length]);
    if (key === chooserKey) return;
    chooserKey = key;
    const option = (person) => ({
      value: person.id, text: { type: 'plain_text', text: person.name },
      description: { type: 'plain_text', text: [person.phone, person.email].filter(Boolean).join(' · ') },
    });
    const find = async (typed) => {
      const words = typed.toLowerCase();
      const fits = all.people.filter((person) => [person.name, person.phone, person.email].some((each) => each.toLowerCase().includes(words)));
      return [{ options: fits.slice(0, 50).map(option) }];
    };
    const choice = combobox({
      id: 'contact', placeholder: 'Find a contact', several: false, least: 0, chosen: [option(one)], find,
      onchange: () => { const [chosen] = choice.chosen(); if (chosen) { wanted = chosen.value; refresh(); } },
    });
    who.replaceChildren(
      h('div', { class: 'who-line' }, h('label', { for: 'contact' }, 'Contact'),
        h('button', { type: 'button', class: 'icon close-panel', 'aria-label': 'Close phone and mailbox', onclick: () => page.closeDrawers() }, icon(ICONS.close))),
      choice.node,
      h('p', { class: 'addresses' }, [one.phone, one.email].filter(Boolean).map((address) => h('bdi', {}, address))));
  }

  function drawTabs(places) {
    const focused = tabs.contains(document.activeElement);
    const names = places.map((id) => (id === MAILBOX ? 'Mailbox' : all.senders.find((sender) => sender.id === id).name));
    tabs.replaceChildren(...places.map((id, index) => h('button', {
      type: 'button', role: 'tab', id: `thread ${id}`, 'aria-controls': 'outside-pane', 'aria-selected': String(id === where), tabindex: id === where ? '0' : '-1',
      'aria-label': id !== MAILBOX && one.threads[id].blocked ? `${names[index]}, blocked` : undefined,
      onclick: () => { asked = id; draw(); },
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step) return;
        event.preventDefault();
        asked = places[(index + step + places.length) % places.length];
        draw();
      },
    }, id !== MAILBOX && one.threads[id].blocked && icon(ICONS.block), h('span', {}, names[index]))));
    if (focused) tabs.querySelector('[aria-selected="true"]')?.focus();
  }

  return {
    refresh,
    async open(step) {
      page.panel.show('outside');
      const person = all?.people.find((each) => each.name === step.contact);
      if (person) wanted = person.id;
      if (step.mailbox) asked = MAILBOX;
      else if (asked === MAILBOX) asked = '';
      draft = step.texts ?? null;
      await refresh();
    },
  };
}

// The column beside the workspace: its two tabs, and the buttons that open and close it.

const NARROW = matchMedia('(max-width: 1080px)');
const NAMES = ['tour', 'outside'];

export function makePanel(workspace, toggleDrawer, closeDrawers) {
  const get = (id) => document.getElementById(id);
  const tabs = NAMES.map((name) => get(`${name}-tab`));
  let shown = 'tour';

  const isOpen = () => (NARROW.matches ? workspace.classList.contains('show-panel') : !workspace.classList.contains('hide-panel'));

  function mark() {
    NAMES.forEach((name, index) => {
      const here = name === shown;
      get(name).hidden = !here;
      tabs[index].setAttribute('aria-selected', String(here));
      tabs[index].tabIndex = here ? 0 : -1;
      get(`${name}-toggle`).setAttribute('aria-expanded', String(here && isOpen()));
    });
  }

  function show(name) {
    shown = name;
    if (!isOpen()) {
      if (NARROW.matches) toggleDrawer('show-panel', get(`${name}-toggle`));
      else workspace.classList.remove('hide-panel');
    }
    mark();
  }

  function toggle(name) {
    if (shown !== name || !isOpen()) { show(name); return; }
    if (NARROW.matches) closeDrawers(); else workspace.classList.add('hide-panel');
    mark();
  }

  NAMES.forEach((name, index) => {
    get(`${name}-toggle`).addEventListener('click', () => toggle(name));
    tabs[index].addEventListener('click', () => show(name));
    tabs[index].addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      event.preventDefault();
      show(NAMES[1 - index]);
      tabs[1 - index].focus();
    });
  });

  return {
    show,
    offerOutside(there) {
      get('panel-tabs').hidden = get('outside-toggle').hidden = !there;
      // Without a tab beside it the tour is no tab's panel.
      if (there) get('tour').setAttribute('role', 'tabpanel'); else get('tour').removeAttribute('role');
      if (!there && shown === 'outside') show('tour');
    },
  };
}

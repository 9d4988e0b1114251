// The colours of the drawing: those of the style sheet, and the two palettes, each for light and for dark.

// From few to many. Light: the paler the fewer; dark: the brighter the more.
const RAMP_LIGHT = ['#57ab93', '#3f9fb5', '#2f7fba', '#3a5aa8', '#47308c', '#330a4d'];
const RAMP_DARK = ['#4a5fa5', '#3d86b8', '#35a8a6', '#5dc482', '#a9d84f', '#fbe23c'];
const NAMES_LIGHT = ['#2f6fb5', '#d9730d', '#2a8f62', '#b8407f', '#7a5bc2', '#a3840a', '#1899a8', '#7b6a5d'];
const NAMES_DARK = ['#6ba6ee', '#f49b45', '#54c48e', '#ec7fb4', '#ab92f0', '#d9bd45', '#4cc6d4', '#b3a394'];

function mix(first, second, share) {
  const part = (color, at) => parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map((at) => Math.round(part(first, at) * (1 - share) + part(second, at) * share));
  return `rgb(${mixed.join(' ')})`;
}

class Colors {
  constructor() {
    this.dark = matchMedia('(prefers-color-scheme: dark)');
    this.read();
  }

  on_change(then) {
    this.dark.addEventListener('change', () => {
      this.read();
      then();
    });
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const names = ['background', 'text', 'muted', 'accent', 'unknown', 'link', 'link-one-sided', 'link-denied', 'halo'];
    this.of = Object.fromEntries(names.map((name) => [name, style.getPropertyValue('--' + name).trim()]));
  }

  class_color(color) {
    if (color.none) return this.of.unknown;
    if (color.name !== undefined) return (this.dark.matches ? NAMES_DARK : NAMES_LIGHT)[color.name];
    const ramp = this.dark.matches ? RAMP_DARK : RAMP_LIGHT;
    const place = color.ramp * (ramp.length - 1);
    const below = Math.min(Math.floor(place), ramp.length - 2);
    return mix(ramp[below], ramp[below + 1], place - below);
  }
}

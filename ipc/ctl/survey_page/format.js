// Numbers and times as people read them, and small helpers for making elements. Text enters the page through
// textContent alone.

const NOT_TOLD = '–';
const COUNT_FORMAT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const COUNT_LIMIT = 1e15;
const LATEST_SECONDS = 1e11; // of a date that is shown; later ones are nonsense

function count_text(value) {
  if (value === null || value === undefined) return NOT_TOLD;
  return value < COUNT_LIMIT ? COUNT_FORMAT.format(value) : value.toExponential(2);
}

function ms_text(value) {
  return value === null || value === undefined ? NOT_TOLD : count_text(value) + '\u00a0ms';
}

function bytes_text(value) {
  if (value === null || value === undefined) return NOT_TOLD;
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (value >= 1e6) return value.toExponential(2) + '\u00a0' + units[unit];
  return (unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)) + '\u00a0' + units[unit];
}

function share_text(value) {
  return value === null || value === undefined ? NOT_TOLD : (value * 100).toFixed(1) + '\u00a0%';
}

function seconds_text(value) {
  if (value === null || value === undefined) return NOT_TOLD;
  if (value < 120) return Math.round(value) + '\u00a0s';
  if (value < 7200) return Math.round(value / 60) + '\u00a0min';
  if (value < 172800) return Math.round(value / 3600) + '\u00a0h';
  return count_text(Math.round(value / 86400)) + '\u00a0d';
}

// Of seconds since 1970.
function date_text(value) {
  return new Date(value * 1000).toISOString().slice(0, 16).replace('T', ' ') + 'Z';
}

function yes_no_text(value) {
  return value === null ? NOT_TOLD : value ? 'yes' : 'no';
}

// make('td', {class: 'id', title: 'G...'}, 'text' or elements...)
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function by_element_id(id) {
  return document.getElementById(id);
}

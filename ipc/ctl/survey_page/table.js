// A table that has only the rows in sight as elements, so that ten thousand cost no more than fifty.
//   columns: [{key, label, text(row), sort(row), numeric, hint, width, title(row), style, mark(row)}]; text is shown,
//   sort ordered by (null goes last, whichever the direction), title the whole text, style and mark(row) CSS classes.
// Keyboard: the head's buttons sort; in the body arrows, Page Up and Down, Home and End move, Enter picks.

const ROW_HEIGHT = 26; // as in style.css
const ROWS_BEYOND = 8; // drawn above and below what is in sight

class Table {
  constructor(host, { name, columns, on_pick, is_marked, sort = 0, descending = false }) {
    Object.assign(this, { host, columns, on_pick, is_marked, descending });
    this.rows = [];
    this.shown = [];
    this.sort_column = columns[sort];
    this.active = -1;
    this.#make(name);
    host.addEventListener('scroll', () => this.#draw());
    new ResizeObserver(() => this.#draw()).observe(host);
    this.table.addEventListener('keydown', (event) => this.#on_key(event));
    // Not on a press of the pointer: new rows between press and release would swallow the click.
    this.table.addEventListener('focus', () => {
      if (this.table.matches(':focus-visible')) this.#move_to(Math.max(0, this.active));
    });
  }

  #make(name) {
    this.table = make('table', { role: 'grid', tabindex: '0', 'aria-label': name });
    const widths = make('colgroup');
    const head_row = make('tr', { 'aria-rowindex': '1' });
    let sum = 0;
    this.heads = this.columns.map((column) => {
      const col = make('col');
      col.style.width = column.width + 'px';
      sum += column.width;
      widths.append(col);
      const button = make('button', { type: 'button', title: column.hint ?? 'Sort by ' + column.label }, column.label);
      button.addEventListener('click', () => this.sort_by(column));
      const head = make('th', { scope: 'col', 'data-key': column.key }, button);
      if (column.numeric) head.classList.add('number');
      head_row.append(head);
      return head;
    });
    this.table.style.minWidth = sum + 'px';
    this.body = make('tbody');
    this.table.append(widths, make('thead', {}, head_row), this.body);
    this.host.replaceChildren(this.table);
  }

  show(rows) {
    this.rows = rows;
    this.active = -1;
    this.#sort();
  }

  sort_by(column) {
    // Of numbers the greatest are what one looks for.
    if (this.sort_column === column) this.descending = !this.descending;
    else [this.sort_column, this.descending] = [column, column.numeric === true];
    this.host.scrollTop = 0;
    this.#sort();
  }

  #sort() {
    const { sort } = this.sort_column;
    const sign = this.descending ? -1 : 1;
    const keyed = this.rows.map((row, place) => ({ row, place, key: sort(row) ?? null }));
    keyed.sort((a, b) => {
      if (a.key === b.key) return a.place - b.place;
      if (a.key === null || b.key === null) return a.key === null ? 1 : -1;
      return a.key < b.key ? -sign : sign;
    });
    this.shown = keyed.map(({ row }) => row);
    this.heads.forEach((head, index) => {
      const is_sorted = this.columns[index] === this.sort_column;
      head.setAttribute('aria-sort', !is_sorted ? 'none' : this.descending ? 'descending' : 'ascending');
    });
    this.table.setAttribute('aria-rowcount', String(this.shown.length + 1));
    this.redraw();
  }

  redraw() {
    this.drawn = '';
    this.#draw();
  }

  #draw() {
    const first = Math.max(0, Math.floor(this.host.scrollTop / ROW_HEIGHT) - ROWS_BEYOND);
    const in_sight = Math.ceil(this.host.clientHeight / ROW_HEIGHT) + 2 * ROWS_BEYOND;
    const last = Math.min(this.shown.length, first + in_sight);
    if (this.drawn === first + ' ' + last) return;
    this.drawn = first + ' ' + last;
    const rows = [this.#space(first)];
    for (let place = first; place < last; ++place) rows.push(this.#row(place));
    rows.push(this.#space(this.shown.length - last));
    this.body.replaceChildren(...rows);
  }

  #space(rows) {
    const space = make('tr', { class: 'space', 'aria-hidden': 'true' }, make('td', { colspan: this.columns.length }));
    space.style.height = rows * ROW_HEIGHT + 'px';
    return space;
  }

  #row(place) {
    const row = this.shown[place];
    const element = make('tr', { 'aria-rowindex': String(place + 2), id: this.#row_id(place) });
    if (this.is_marked?.(row)) element.setAttribute('aria-selected', 'true');
    if (place === this.active) element.classList.add('active');
    for (const column of this.columns) {
      const text = column.text(row);
      const cell = make('td', { 'data-key': column.key, title: column.title?.(row) ?? text }, text);
      if (column.numeric) cell.classList.add('number');
      if (column.style) cell.classList.add(column.style);
      const mark = column.mark?.(row);
      if (mark) cell.classList.add(mark);
      element.append(cell);
    }
    element.addEventListener('click', () => {
      this.active = place;
      this.on_pick(row);
    });
    return element;
  }

  #row_id(place) {
    return this.host.id + '-row-' + place;
  }

  scroll_to(row) {
    const place = this.shown.indexOf(row);
    if (place === -1) return;
    this.active = place;
    const top = place * ROW_HEIGHT;
    const height = this.#body_height();
    const is_in_sight = top >= this.host.scrollTop && top + ROW_HEIGHT <= this.host.scrollTop + height;
    if (!is_in_sight) this.host.scrollTop = top - Math.floor(height / 2 / ROW_HEIGHT) * ROW_HEIGHT;
    this.redraw();
  }

  // The head stays in sight.
  #body_height() {
    return this.host.clientHeight - ROW_HEIGHT;
  }

  #into_sight(place) {
    const top = place * ROW_HEIGHT;
    const height = this.#body_height();
    if (top < this.host.scrollTop) this.host.scrollTop = top;
    else if (top + ROW_HEIGHT > this.host.scrollTop + height) this.host.scrollTop = top + ROW_HEIGHT - height;
  }

  #move_to(place) {
    if (this.shown.length === 0) return;
    this.active = Math.min(this.shown.length - 1, Math.max(0, place));
    this.#into_sight(this.active);
    this.table.setAttribute('aria-activedescendant', this.#row_id(this.active));
    this.redraw();
  }

  #on_key(event) {
    if (event.target !== this.table) return; // a button of the head
    const page = Math.max(1, Math.floor(this.host.clientHeight / ROW_HEIGHT) - 2);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in moves) this.#move_to(this.active + moves[event.key]);
    else if (event.key === 'Enter' && this.active >= 0) this.on_pick(this.shown[this.active]);
    else return;
    event.preventDefault();
  }
}

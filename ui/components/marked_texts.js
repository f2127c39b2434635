// Texts side by side with some of their parts marked. Every part is set as text: nothing in it is read as HTML.

export default function ({ data, parentElement }) {
  const place = parentElement.querySelector('.simtune-texts');
  place.setAttribute('aria-label', data.alt);
  place.replaceChildren(...data.panes.map(pane));
}

function pane({ title, parts }) {
  const box = document.createElement('section');
  const name = document.createElement('div');
  name.className = 'simtune-texts-title';
  name.textContent = title;
  const text = document.createElement('p');
  text.tabIndex = 0; // a long text is scrolled by keyboard
  text.append(...parts.map(([content, marked]) => part(content, marked)));
  box.append(name, text);
  return box;
}

function part(content, marked) {
  if (!marked) return document.createTextNode(content);
  const mark = document.createElement('mark');
  mark.textContent = content;
  return mark;
}

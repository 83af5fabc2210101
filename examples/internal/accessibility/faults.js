(() => {
  const faults = [], lang = %q, width = %d, html = document.documentElement;
  const all = s => [...document.querySelectorAll(s)];
  const shown = e => e.checkVisibility() && e.getBoundingClientRect().width > 0;
  const named = e => (e.getAttribute('aria-label') || e.textContent).trim() !== '';
  if (html.lang !== lang) faults.push('html lang is ' + html.lang);
  if (!document.title.trim()) faults.push('no title');
  if (all('h1').length !== 1 || !named(all('h1')[0])) faults.push('not exactly one h1');
  if (all('main').length !== 1) faults.push('not exactly one main');
  if (!document.querySelector('meta[name=viewport]')) faults.push('no viewport for phones');
  for (const e of all('input:not([type=hidden]), select, textarea'))
    if (![...e.labels].some(named) && !e.getAttribute('aria-label')) faults.push('no label: ' + e.name);
  for (const e of all('button, a[href], summary')) if (!named(e)) faults.push('no name: ' + e.outerHTML);
  for (const e of all('img')) if (!e.hasAttribute('alt')) faults.push('no alt: ' + e.src.slice(0, 40));
  const ids = all('[id]').map(e => e.id);
  if (new Set(ids).size !== ids.length) faults.push('an id occurs twice');
  for (const e of all('[aria-describedby], [aria-labelledby]'))
    for (const id of ((e.getAttribute('aria-describedby') || '') + ' ' + (e.getAttribute('aria-labelledby') || '')).split(' '))
      if (id && !document.getElementById(id)) faults.push('describes by a missing id: ' + id);
  let level = 0;
  for (const e of all('h1, h2, h3, h4')) {
    const l = +e.tagName[1];
    if (l > level + 1) faults.push('heading level skipped at ' + e.textContent);
    level = l;
  }
  if (html.scrollWidth > Math.min(width, html.clientWidth)) faults.push('scrolls sideways: ' + html.scrollWidth + ' > ' + html.clientWidth);
  const targets = all('button, a.button, nav a, summary, input:not([type=hidden]):not([type=radio])').filter(shown);
  for (const e of targets)
    if (e.getBoundingClientRect().height < 24) faults.push('too small to touch: ' + e.outerHTML.slice(0, 80));
  // What would be cut off, or has to be scrolled sideways inside the page.
  for (const e of all('body *')) {
    if (!shown(e) || e.closest('.away, .skip')) continue;
    const box = e.getBoundingClientRect();
    if (box.right > html.clientWidth + 1) faults.push('wider than the screen: ' + e.outerHTML.slice(0, 80));
    if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== 'visible' && e.clientWidth > 1)
      faults.push('cut off, or scrolls sideways: ' + e.outerHTML.slice(0, 80));
  }
  // What stands in boxes of its own keeps a distance.
  const boxes = [...new Set([...targets.filter(e => e.matches('button, .button, input')), ...all('.note, .card, .paper, .alert, fieldset').filter(shown)])];
  for (const a of boxes) for (const b of boxes) {
    if (a === b || a.contains(b) || b.contains(a)) continue;
    const above = a.getBoundingClientRect(), below = b.getBoundingClientRect();
    if (above.right <= below.left || below.right <= above.left || below.top < above.top) continue;
    if (below.top - above.bottom < 4) faults.push('too close to what is above: ' + b.outerHTML.slice(0, 80));
  }
  // The tab key goes as the eye does: down, or to the next column.
  let last = null;
  for (const e of all('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]')) {
    if (e.tabIndex > 0) faults.push('a tabindex of its own: ' + e.outerHTML.slice(0, 80));
    if (!shown(e) || e.tabIndex < 0 || e.closest('.skip')) continue;
    const box = e.getBoundingClientRect();
    if (last && box.bottom <= last.top && box.left < last.right) faults.push('the tab key goes back up to ' + e.outerHTML.slice(0, 80));
    last = box;
  }
  // One letter alone on the last line of a heading, a label or a button.
  for (const e of all('h1, h2, h3, label, legend, dt, button, a.button')) {
    if (!shown(e)) continue;
    const range = document.createRange();
    range.selectNodeContents(e);
    const lines = new Map();
    for (const r of range.getClientRects()) if (r.width > 0) {
      const at = [...lines.keys()].find(y => Math.abs(y - r.bottom) < r.height / 2) ?? r.bottom;
      lines.set(at, (lines.get(at) || 0) + r.width);
    }
    const bottom = Math.max(...lines.keys());
    if (lines.size > 1 && lines.get(bottom) < 1.6 * parseFloat(getComputedStyle(e).fontSize)) faults.push('one letter alone on a line: ' + e.textContent.trim());
  }
  // Who reads aloud must be told which language it is (WCAG 2.2, 3.1.2), where it is certain: kana. A name that somebody
  // chose is of no certain language and stands in a bdi.
  const texts = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) if (walk.currentNode.data.trim() && !walk.currentNode.parentElement.closest('script, style') && shown(walk.currentNode.parentElement)) texts.push(walk.currentNode);
  for (const n of texts) {
    const e = n.parentElement;
    if (/[\u3041-\u30FA]/.test(n.data) && e.closest('[lang]').lang !== 'ja' && !e.closest('bdi')) faults.push('Japanese that is not marked as such: ' + n.data.trim().slice(0, 40));
    // What a stranger or a card chose must not turn round what stands beside it.
    if (/[\u0590-\u08FF\u200E\u200F\u202A-\u202E\u2066-\u2069\uFB1D-\uFDFF\uFE70-\uFEFC]/.test(n.data)) {
      let alone = e;
      while (alone !== document.body && !/isolate|plaintext/.test(getComputedStyle(alone).unicodeBidi)) alone = alone.parentElement;
      if (alone.textContent.trim() !== n.data.trim() && !e.closest('code, pre')) faults.push('can turn round what stands beside it: ' + e.outerHTML.slice(0, 80));
    }
  }
  // English words in what a Japanese page says; values and what a protocol calls things stand in elements of their own,
  // and the inspector's exchanges are in the protocol's words throughout.
  if (lang === 'ja')
    for (const n of texts) {
      const e = n.parentElement;
      if (!e.matches('h1, h2, h3, label, legend, dt, th, button, a, summary, p, span') || e.closest('[lang=en], code, pre, .id, [hreflang], [data-kakunin-exchange]')) continue;
      for (const w of n.data.match(/[A-Za-z][A-Za-z'’_]{2,}/g) || [])
        if (!/^(LIS|JPKI|OCSP|CRL|SHA|RSA|PKCS|API|SDK|JSON|JavaScript|Cookie|DigestInfo|CMS|RFC|kakunin|SSA|RSASSA)$/.test(w)) faults.push('English on a Japanese page: ' + w + ' in ' + n.data.trim().slice(0, 60));
    }
  const rgb = c => (c.match(/[\d.]+/g) || []).map(Number);
  const lum = c => { const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
  // Where nothing paints, the browser does, by the scheme of colours that the page allows and the person prefers.
  const dark = matchMedia('(prefers-color-scheme: dark)').matches && /dark/.test(getComputedStyle(html).colorScheme);
  const ground = e => {
    for (let p = e; p; p = p.parentElement) { const c = rgb(getComputedStyle(p).backgroundColor); if (c.length === 3 || c[3] === 1) return c; }
    return dark ? [18, 18, 18] : [255, 255, 255];
  };
  const ratio = (one, other) => { const a = lum(one), b = lum(other); return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); };
  // The edge of a field can be seen (WCAG 2.2, 1.4.11).
  for (const e of all('input:not([type=hidden]):not([type=radio]):not([type=checkbox]), select, textarea')) {
    const seen = ratio(rgb(getComputedStyle(e).borderTopColor), ground(e.parentElement));
    if (shown(e) && seen < 3) faults.push('edge of a field, contrast ' + seen.toFixed(2) + ': ' + e.name);
    const inside = ratio(rgb(getComputedStyle(e).color), ground(e));
    if (shown(e) && inside < 4.5) faults.push('contrast ' + inside.toFixed(2) + ': what is typed into ' + e.name);
  }
  // Contrast of text (WCAG 2.2, 1.4.3), where the background is a plain colour.
  for (const e of all('body *')) {
    if (!shown(e) || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const style = getComputedStyle(e), seen = ratio(rgb(style.color), ground(e));
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && +style.fontWeight >= 700);
    if (seen < (large ? 3 : 4.5)) faults.push('contrast ' + seen.toFixed(2) + ': ' + e.textContent.trim().slice(0, 40));
  }
  return faults;
})()
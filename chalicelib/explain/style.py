"""The look of the page and the little that it does: both are part of it, so that it needs no other file."""

from __future__ import annotations

# Okabe and Ito's blue, orange and green stay apart for the colour-blind; each mark has a line of its own as well.
STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1c1e;--soft:#5b5f66;--line:#d9dce1;--card:#f6f7f9;
--i:#00563f;--ib:#d8f0e6;--g:#004a80;--gb:#dcecf9;--h:#7a3e00;--r:#5b5f66;--on:#ffe58a;--onfg:#1c1c1e;--link:#00549e}
@media(prefers-color-scheme:dark){:root{--bg:#16181b;--fg:#e7e9ec;--soft:#a4a9b1;--line:#34383e;--card:#1f2226;
--i:#8fe3c1;--ib:#123c2f;--g:#9fd0fb;--gb:#12324d;--h:#ffb86b;--r:#a4a9b1;--on:#6b5600;--onfg:#fff;--link:#8cc4ff}}
*{box-sizing:border-box}
html{scroll-padding-top:4.5rem}
body{margin:0;background:var(--bg);color:var(--fg);overflow-wrap:anywhere;
font:16px/1.7 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",sans-serif}
header,main,section{max-width:84rem;margin:0 auto;padding:0 1.25rem}
h1{font-size:1.5rem;line-height:1.35;margin:1.25rem 0 .75rem}
h2{font-size:1.15rem;margin:2.5rem 0 .75rem;padding-top:1rem;border-top:1px solid var(--line)}
[lang=en],i{color:var(--soft);font-style:normal;font-size:.86em}
a{color:var(--link)}
code,.count{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.86em}
.count{font-weight:600;color:var(--soft);background:var(--card);border:1px solid var(--line);border-radius:1em;
padding:0 .5em}
.none{color:var(--soft)}
q{quotes:"「" "」";color:var(--soft)}
.u{font:.7em ui-monospace,monospace;border:1px solid currentColor;border-radius:2px;padding:0 .2em;margin:0 .1em}
.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.5rem 1.5rem;margin:0 0 1rem}
.facts dt{font-size:.85rem;color:var(--soft)}.facts dd{margin:0;line-height:1.45}
.facts .sha256{font:.75rem/1.5 ui-monospace,Menlo,Consolas,monospace}
.bar{position:sticky;top:0;z-index:2;background:var(--bg);border-block:1px solid var(--line);padding:.4rem 1.25rem;
display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;justify-content:center;font-size:.9rem}
.bar fieldset{border:0;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem}
.bar legend{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.bar label{white-space:nowrap;cursor:pointer}.bar input{margin:0 .35em 0 0;vertical-align:-.1em}
.bar nav{display:flex;gap:1rem}
main{display:grid;grid-template-columns:minmax(0,46rem) minmax(20rem,26rem);gap:2rem;justify-content:space-between;
align-items:start;margin-top:1.25rem}
#text p,#text h3,#text h4,#text h5,#text h6{margin:0 0 .8em;unicode-bidi:isolate;direction:ltr}
#text{line-height:1.95}
#text h3{font-size:1.2em}#text h4{font-size:1.1em}#text h5,#text h6{font-size:1em}
#text .title{font-size:1.3em;font-weight:600}#text .row{white-space:pre-wrap;font-variant-numeric:tabular-nums;
margin:0}#text .row+:not(.row){margin-top:1em}
#text a{color:inherit;text-decoration:none;border-radius:2px;unicode-bidi:isolate;scroll-margin-top:5rem}
.i,#text a.i{background:var(--ib);color:var(--i);border-bottom:2px solid var(--i);font-weight:600;padding:0 .12em;margin:0 1px}
.g,#text a.g{background:var(--gb);color:var(--g);border-bottom:3px double var(--g);padding:0 .12em;margin:0 1px}
#text a.i.c::after{content:"!";font-weight:700;color:#fff;background:#b3261e;border-radius:1em;padding:0 .4em;margin-left:.25em;
font-size:.75em}
.h{color:var(--h);border-left:3px solid var(--h);padding-left:.3em;font-weight:600}
.r,#text a.r{color:var(--r);border-bottom:1px dashed var(--r);text-decoration:line-through;
text-decoration-thickness:1px}
.t,#text a.t{color:var(--r);border-bottom:1px solid var(--r)}
.w,#text a.w{border-bottom:1px dotted var(--r)}
#text a:hover,#text a:focus-visible,a:focus-visible,[tabindex]:focus-visible,summary:focus-visible
{outline:2px solid var(--link);outline-offset:1px}
#text a.on,#text a:target,#text a.r.on,tr:target>td,li:target,details:target>summary{background:var(--on);
color:var(--onfg)}
#panel{position:sticky;top:4.25rem;max-height:calc(100vh - 5.5rem);overflow:auto;background:var(--card);
border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem;font-size:.92rem;line-height:1.5}
#panel h3{margin:.25rem 0 .5rem;font-size:1.05rem}#panel dl{margin:0 0 1rem;display:grid;
grid-template-columns:6.5rem minmax(0,1fr)}
#panel dt,#panel dd{padding:.2rem 0;border-top:1px solid var(--line);margin:0}#panel dt{color:var(--soft)}
#panel dt i{display:none}
#panel dd [lang=en],.hint [lang=en]{display:block}#panel button{float:right;font:inherit;color:inherit;
background:none;
border:1px solid var(--line);border-radius:6px;cursor:pointer}
.wide{overflow-x:auto;max-height:80vh;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;font-size:.85rem;line-height:1.4;width:max-content;min-width:100%;overflow-wrap:normal}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line);max-width:19rem}
th{position:sticky;top:0;background:var(--card);white-space:nowrap}th i{display:block;font-weight:400}
td:first-child,th:first-child{position:sticky;left:0;background:var(--bg)}th:first-child{z-index:1;background:var(--card)}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr[id],li[id],details[id]{scroll-margin-top:5rem}tr[id] td{scroll-margin-top:3rem}
ul,ol{padding-left:1.25rem}li{margin:.25rem 0}
details{border-bottom:1px solid var(--line)}summary{cursor:pointer;padding:.35rem 0}details p a{margin-right:.75em;
display:inline-block}
section:last-of-type{padding-bottom:4rem}
body:has(#show-i:not(:checked)) #text a.i,body:has(#show-g:not(:checked)) #text a.g,
body:has(#show-r:not(:checked)) #text a.r,body:has(#show-w:not(:checked)) #text a.w,
body:has(#show-t:not(:checked)) #text a.t{all:unset}
body:has(#show-h:not(:checked)) #text .h{color:inherit;border:0;padding:0;font-weight:inherit}
@media(min-width:60.01rem){main:not(:has(.hint)){min-height:100vh}}
@media(max-width:90rem){#panel{top:6rem;max-height:calc(100vh - 7.25rem)}html{scroll-padding-top:6rem}}
@media(max-width:60rem){main{display:block}#panel{position:fixed;inset:auto 0 0 0;top:auto;
max-height:45vh;border-radius:12px 12px 0 0;
border-width:1px 0 0;z-index:3;box-shadow:0 -4px 16px #0003}#panel:has(.hint){position:static;border-width:1px;
border-radius:8px;box-shadow:none}
.bar{justify-content:flex-start;padding:.3rem 1rem;gap:.1rem 1rem;font-size:.82rem}
.bar [lang=en],.bar nav{display:none}
html{scroll-padding-top:6rem}header,main,section{padding:0 1rem}
.facts{grid-template-columns:1fr 1fr}.facts div:nth-child(n+10){grid-column:1/-1}}
@page wide{size:A4 landscape;margin:10mm}
@media print{:root{--bg:#fff;--fg:#000;--ib:#fff;--gb:#fff;--soft:#333;--card:#fff}body{font-size:10pt}
.bar{position:static}
.bar nav,#panel,input{display:none}main{display:block}.wide{overflow:visible;max-height:none;border:0}
table{width:100%;font-size:6.5pt;overflow-wrap:break-word}
#indicators{page:wide;max-width:none}#indicators :is(th,td):nth-child(12){display:none}
#indicators :is(th,td):nth-child(2){min-width:9em}th{position:static;white-space:normal}
th,td{padding:1pt 2pt}
tr,li{break-inside:avoid}h2,h3{break-after:avoid}a{color:inherit}}
"""

SCRIPT = """
'use strict';
const text=document.getElementById('text'),panel=document.getElementById('panel'),hint=panel.innerHTML;
const make=(tag,...inside)=>{const made=document.createElement(tag);made.append(...inside);return made};
const copy=node=>[...node.childNodes].map(child=>child.cloneNode(true));
function said(link){const rule=document.getElementById(link.hash.slice(1));if(!rule)return [];
const from=rule.querySelector('summary')||rule;return [make('br'),...copy(from).filter(n=>n.nodeName!=='CODE'&&n.nodeName!=='B')]}
function fields(row,names){const list=make('dl');[...row.cells].forEach((cell,n)=>{if(!cell.textContent)return;
const value=make('dd',...copy(cell));const link=cell.querySelector('a[href^="#rule-"]');if(link)value.append(...said(link));
list.append(make('dt',...copy(names[n])),value)});return list}
const remarks=id=>[...document.querySelectorAll('#checks a[href="#'+CSS.escape(id)+'"]')].map(a=>make('p',...copy(a.closest('li'))));
function rowOf(id){const row=document.getElementById(id);return row&&row.cells?row:null}
function show(mark){
  text.querySelectorAll('.on').forEach(other=>other.classList.remove('on'));
  const ids=(mark.dataset.i||mark.hash.slice(1)).split(' ');
  const close=make('button','×');close.type='button';close.setAttribute('aria-label','关闭');close.onclick=hide;
  panel.replaceChildren(close,make('h3',mark.textContent));
  for(const id of ids){const row=rowOf(id);
    if(row){panel.append(...remarks(id),fields(row,[...row.closest('table').tHead.rows[0].cells]))}
    else{const link=make('a',id.replace('rule-',''));link.href='#'+id;panel.append(make('p',link,...said(link)))}
  }
  if(!ids[0].startsWith('rule-'))text.querySelectorAll('a[href="#'+CSS.escape(ids[0])+'"]').forEach(same=>same.classList.add('on'));
  mark.classList.add('on');panel.scrollTop=0;
}
function hide(){text.querySelectorAll('.on').forEach(other=>other.classList.remove('on'));panel.innerHTML=hint}
const marked=event=>event.target.closest&&event.target.closest('#text a');
document.addEventListener('focusin',event=>{const mark=marked(event);if(mark)show(mark)});
document.addEventListener('click',event=>{const mark=marked(event);if(!mark||event.ctrlKey||event.metaKey||event.shiftKey)return;
event.preventDefault();mark.focus();show(mark);if(mark.id)history.replaceState(null,'','#'+mark.id)});
document.addEventListener('keydown',event=>{if(event.key==='Escape')hide()});
function arrive(){const place=document.getElementById(decodeURIComponent(location.hash.slice(1)));if(!place)return;
if(place.nodeName==='DETAILS')place.open=true;if(place.matches('#text a'))show(place)}
addEventListener('hashchange',arrive);arrive();
"""

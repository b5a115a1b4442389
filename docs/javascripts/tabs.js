// A link to what stands in a tab opens that tab. Browsers do not scroll to what is hidden, so the link would do nothing.
function openTabs() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  let block = target && target.closest(".tabbed-block");
  if (!block) return;
  for (; block; block = block.parentElement.closest(".tabbed-block")) {
    const place = [...block.parentElement.children].indexOf(block);
    block.closest(".tabbed-set").querySelectorAll(":scope > input")[place].click();
  }
  target.scrollIntoView();
}
addEventListener("hashchange", openTabs);
addEventListener("load", openTabs);

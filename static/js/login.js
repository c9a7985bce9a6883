// Keep the fragment of a link, such as #m-7, over the login: browsers do not send it.

if (location.hash) {
  const wanted = document.querySelector("input[name=next]");
  if (wanted) wanted.value += location.hash;
  const link = document.querySelector("a[data-login]");
  if (link) {
    const url = new URL(link.href);
    url.searchParams.set("next", url.searchParams.get("next") + location.hash);
    link.href = url.href;
  }
}

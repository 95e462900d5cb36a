// Before anything of the page runs: what goes wrong is written down.
window.wrong = [];
window.addEventListener("error", (event) => window.wrong.push(event.message || `cannot load ${event.target.src}`), true);
window.addEventListener("unhandledrejection", (event) => window.wrong.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => window.wrong.push(`refused ${event.blockedURI}`));
for (const level of ["error", "warn"]) {
  console[level] = (...words) => window.wrong.push(words.join(" "));
}

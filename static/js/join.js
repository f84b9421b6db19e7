// An invitation's secret stands behind the # of its link, which browsers send to nobody: put it into the form.
const secret = document.getElementById("id_secret");
const given = location.hash.slice(1);
if (given && !secret.value) secret.value = given;
if (secret.value) document.getElementById("id_name").focus();
history.replaceState(null, "", location.pathname);

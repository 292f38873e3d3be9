// A product chosen last is shown last: the browser submits options in the order of the page, not of the choosing.
const $ = window.django.jQuery;

$("select.admin-autocomplete[multiple]").on("select2:select", (event) => {
  const option = event.params.data.element;
  event.target.append(option);
  $(event.target).trigger("change");
});

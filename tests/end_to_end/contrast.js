// Each visible text of the page with its contrast to what is behind it, as WCAG 2 counts it.
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (color, under) => {
    canvas.fillStyle = under ?? "#fff";
    canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return `rgb(${red}, ${green}, ${blue})`;
  };
  const luminance = (rgb) => {
    const [red, green, blue] = rgb.match(/\d+/g).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (node) => {
    const behind = [];
    for (let each = node; each; each = each.parentElement) behind.unshift(getComputedStyle(each).backgroundColor);
    return behind.reduce((under, color) => paint(color, under), "#fff");
  };
  const texts = [...document.querySelectorAll("body *")].filter((node) =>
    node.checkVisibility() && !node.matches(".aside, .skip, option, script, noscript") && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()));
  return texts.map((node) => {
    const under = ground(node);
    const [one, other] = [luminance(paint(getComputedStyle(node).color, under)), luminance(under)];
    return { text: node.textContent.trim().slice(0, 40), of: node.className || node.tagName, contrast: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) };
  });
}

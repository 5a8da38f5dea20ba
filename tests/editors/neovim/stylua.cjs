// Formats Lua by stylua, as editors/neovim/stylua.toml says; prints the files that differ.
//   node stylua.cjs MODULE check|write FILE...
const fs = require("node:fs");
const [module_, what, ...files] = process.argv.slice(2);
const stylua = require(`${module_}/stylua_lib_node.cjs`);
const options = Object.fromEntries(
  fs
    .readFileSync(`${__dirname}/../../../editors/neovim/stylua.toml`, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" = ")),
);

for (const file of files) {
  const config = stylua.Config.new();
  config.column_width = Number(options.column_width);
  config.indent_width = Number(options.indent_width);
  config.indent_type = stylua.IndentType[options.indent_type.replaceAll('"', "")];
  const text = fs.readFileSync(file, "utf8");
  const formatted = stylua.formatCode(text, config, undefined, stylua.OutputVerification.Full);
  if (formatted === text) continue;
  console.log(file);
  if (what === "write") fs.writeFileSync(file, formatted);
}

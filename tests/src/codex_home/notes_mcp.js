// A small MCP server over stdio: add_note stores, fail always fails, slow takes a second.
const input = { type: "object", properties: { text: { type: "string" } } };
const tools = [
  ["add_note", "Store a note."],
  ["fail", "Always fails."],
  ["slow", "Takes a second."],
].map(([name, description]) => ({ name, description, inputSchema: input }));

const call = ({ name, arguments: given = {} }) =>
  name === "fail"
    ? { content: [{ type: "text", text: "the note store is full" }], isError: true }
    : {
        content: [{ type: "text", text: `stored: ${given.text}` }],
        structuredContent: { count: 1 },
      };

const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: "notes", version: "1.0.0" },
  }),
  "tools/list": () => ({ tools }),
  "tools/call": call,
  ping: () => ({}),
};

const reply = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");

const answer = async ({ id, method, params = {} }) => {
  if (id === undefined) return;
  const known = answers[method];
  if (!known) return reply({ id, error: { code: -32601, message: "no such method" } });
  if (params.name === "slow") await new Promise((done) => setTimeout(done, 1000));
  reply({ id, result: known(params) });
};

const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => line.trim() && answer(JSON.parse(line)));

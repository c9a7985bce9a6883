// The messages and the answer of a completion as chat bubbles, with Markdown and coloured code.

import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import Markdown from "react-markdown";
import rehypeHighlight from "rehype-highlight";
import remarkGfm from "remark-gfm";

async function load(path) {
  const answer = await fetch(`/v1/chat/completions/${path}`);
  if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
  return answer.json();
}

function Text({ children }) {
  return (
    <Markdown remarkPlugins={[remarkGfm]} rehypePlugins={[rehypeHighlight]}>
      {children}
    </Markdown>
  );
}

function Code({ language, text }) {
  return <Text>{`\`\`\`${language}\n${text}\n\`\`\``}</Text>;
}

function Call({ call }) {
  const { name, arguments: written } = call.function;
  return (
    <details open>
      <summary>{name}</summary>
      <Code language="json" text={JSON.stringify(JSON.parse(written), null, 2)} />
    </details>
  );
}

function Bubble({ message }) {
  return (
    <article className={message.role}>
      <header>{message.role}</header>
      {message.role === "tool" ? <Code language="" text={message.content} /> : <Text>{message.content}</Text>}
      {message.tool_calls?.map((call) => <Call key={call.id} call={call} />)}
    </article>
  );
}

function Transcript({ id }) {
  const [messages, setMessages] = useState([]);
  useEffect(() => {
    Promise.all([load(`${id}/messages?limit=20`), load(id)]).then(([page, completion]) =>
      setMessages([...page.data, ...completion.choices.map((choice) => choice.message)]),
    );
  }, [id]);
  return messages.map((message, at) => <Bubble key={at} message={message} />);
}

const root = document.getElementById("root");
createRoot(root).render(<Transcript id={root.dataset.id} />);

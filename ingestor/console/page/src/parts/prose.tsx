/** Sentences that have names and code between backticks. */

export function Prose({ text }: { text: string | null }) {
  return <>{(text ?? '').split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>
}

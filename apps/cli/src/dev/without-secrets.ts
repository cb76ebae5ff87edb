type Environment = Readonly<Record<string, string | undefined>>;

/** An app's environment: workers need the secrets of tasks, listeners those of webhooks; the API none. */
export function withoutSecrets(app: string, env: Environment): Environment {
  if (app !== 'api') return env;
  const others = Object.entries(env).filter(([name]) => !name.startsWith('RUNNEL_SECRET'));
  return Object.fromEntries(others);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An app's environment: only workers need the secrets of tasks, and where they are. */
export function withoutSecrets(app: string, env: Environment): Environment {
  if (app === 'worker') return env;
  const others = Object.entries(env).filter(([name]) => !name.startsWith('RUNNEL_SECRET'));
  return Object.fromEntries(others);
}

/** What hosts are started with. */
export interface HostOptions {
  readonly modules: readonly string[];
  /** All of the environment that functions see. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where Node keeps what it made of modules: without their types, and compiled. */
  readonly cacheDir: string;
}

/**
 * With the cache a host neither loads the compiler that removes types nor compiles what another has compiled before: it
 * takes half the time to start and needs two thirds of the memory. host-main.ts takes the variable away again.
 */
export function hostEnvironment(options: HostOptions): Record<string, string> {
  return { ...options.environment, [cacheVariable]: options.cacheDir };
}

export const cacheVariable = 'NODE_COMPILE_CACHE';

import { type LoadedSettings, type SettingName, settingFields, settingNames } from './settings.ts';
import { formatDuration, formatSize } from './units.ts';

/** One line a setting: its key, its value (secrets masked) and where that came from. */
export function describeSettings(loaded: LoadedSettings): string {
  const rows = settingNames.map((name) => [
    settingFields[name].key,
    showSetting(loaded, name),
    loaded.origins[name].name,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([key = '', value = '', origin = '']) =>
      [key.padEnd(widths[0] ?? 0), value.padEnd(widths[1] ?? 0), origin].join('  '),
    )
    .join('\n');
}

/** `redis://user:secret@host` and `?sentinelPassword=secret` without the secrets. */
export function maskUrl(text: string): string {
  return text
    .replace(/(:\/\/[^:@/\s]*):[^@/\s]*@/g, '$1:***@')
    .replace(/([?&]\w*[pP]assword=)[^&\s"]*/g, '$1***');
}

function showSetting({ settings }: LoadedSettings, name: SettingName): string {
  const value = settings[name];
  if (value === null) return '-';
  if (settingFields[name].secret) return '***';
  if (typeof value === 'string') return maskUrl(value);
  if (typeof value === 'number' && name.endsWith('Ms')) return formatDuration(value);
  if (typeof value === 'number' && name.endsWith('Bytes')) return formatSize(value);
  return JSON.stringify(value);
}

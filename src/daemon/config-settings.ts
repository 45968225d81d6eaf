// `bb config get/set`: the settings that are policy, by name. They belong to the node, so they are in its backup.

import { BbError } from '../core/errors.ts';
import { APPROVALS } from '../core/records.ts';
import type { SettingsRecord } from '../core/records.ts';
import { markDirty } from './dirty.ts';
import type { ConfigView } from './local-api.ts';
import type { Session } from './session.ts';

type Setting = {
  readonly meaning: string;
  readonly values: readonly string[];
  get(settings: SettingsRecord): string;
  with(settings: SettingsRecord, value: string): SettingsRecord;
};

const SETTINGS: Readonly<Record<string, Setting>> = {
  'contracts.accept': {
    meaning: 'whose proposals are accepted without asking you: nobody, added, everyone',
    values: APPROVALS,
    get: ({ approval }) => approval,
    with: (settings, value) => ({ ...settings, approval: value as SettingsRecord['approval'] }),
  },
  'peers.unlisted': {
    meaning: 'ask peers not to pass your address on: yes, no',
    values: ['yes', 'no'],
    get: ({ unlisted }) => (unlisted ? 'yes' : 'no'),
    with: (settings, value) => ({ ...settings, unlisted: value === 'yes' }),
  },
};

export function settingsList({ settings }: Session): ConfigView {
  return Object.entries(SETTINGS).map(([key, setting]) => ({
    key,
    meaning: setting.meaning,
    value: setting.get(settings),
  }));
}

/** USAGE for an unknown key or value. */
export async function setSetting(session: Session, key: string, value: string): Promise<ConfigView> {
  const setting = Object.hasOwn(SETTINGS, key) ? SETTINGS[key] : undefined;
  if (setting === undefined) {
    throw new BbError('USAGE', 'there is no such setting', { hint: 'bb config list shows all of them.' });
  }
  if (!setting.values.includes(value)) {
    throw new BbError('USAGE', `this setting is one of: ${setting.values.join(', ')}`);
  }
  await session.registry.updateSettings((old) => setting.with(old ?? session.settings, value));
  session.bus.emit('settings-changed', { key, value });
  await markDirty(session);
  return settingsList(session);
}

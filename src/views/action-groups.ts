/** A plan's actions, those that differ in nothing but the host together. */

import { display } from '../model/names.js';
import type { ActionInvocation } from '../model/plan.js';

/** Actions that are the same but for the host. */
export interface ActionGroup {
  readonly action: ActionInvocation;
  readonly hosts: readonly string[];
}

export function actionGroups(actions: readonly ActionInvocation[]): ActionGroup[] {
  const groups = Map.groupBy(actions, (action) =>
    JSON.stringify([action.when, action.group, action.command, action.logfile, action.triggeredBy]),
  );
  return [...groups.values()].flatMap((same) => {
    const [action] = same;
    return action === undefined ? [] : [{ action, hosts: [...new Set(same.map((each) => display(each.host)))] }];
  });
}

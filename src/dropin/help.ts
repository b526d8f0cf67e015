/** What `csync2` prints when the command line is not understood: csync2's options, in csx's words. */

export function helpText(): string {
  return `csync2 (csx): keeps files the same on a cluster of hosts. The command line of csync2 2.0 on csx's engine;
csx itself can do more: csx --help.

Version: 2.0 (compatible)

Usage: csync2 [-v..] [-C NAME] [-D DIR|URL] [-N HOST] [-p PORT] MODE [FILE..]

With files:
  -h [-r] FILE..        note files to be checked later (-c)
  -c [-r] FILE..        check: record what changed, mark it for the peers
  -u [-d] [-r] FILE..   update: send what is marked
  -x [-d] [-r] [FILE..] check and update; without files: everything
  -o [-r] FILE..        print the files that count when hosts are compared
  -f [-r] FILE..        force: this host's version wins the next conflict
  -m FILE..             mark files to be sent

Without files:
  -c                    check what was noted with -h
  -cr /                 check everything
  -u [-d]               send everything that is marked
  -H, -L, -M            print the notes, the known files, the marked files
  -S ME PEER            print the known files that two hosts share
  -T [FILE]             compare with all peers
  -T ME PEER [FILE]     compare with one
  -TT ..                the same, as unified diffs
  -TI ..                the same, and mark what differs (-X: what is only there too; -U: for that peer alone)
  -R                    remove rows that the configuration does not hold any more
  -i, -ii, -iii         serve: one connection on stdin and stdout; listen; listen for one connection
  -k FILE               make a key file (alone)

Modifiers:
  -r  recursive                        -d  dry run: send nothing, print what would be sent
  -v  say more (repeat)                -I  first run: record without marking
  -F  mark as forced                   -B, -A  accepted; csx needs neither
  -G G1,G2  only these groups          -P P1,P2  only send to these peers
  -l  messages to syslog               -W FD  write the directories that hold files to a descriptor
  -t  time stamps in messages          -s FILE  time stamps to a file
  -C NAME  csync2_NAME.cfg             -N HOST  this host's name and address
  -D DIR|URL  the database             -p PORT  the TCP port (30865)

Exit status: 0 done; 1 error; 2 nothing to list (-H -L -M -S), or no difference (-T).
CSYNC2_SYSTEM_DIR names the directory of csync2.cfg (/etc). Nothing is done while csync2.lock lies in it.
`;
}

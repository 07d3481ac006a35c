### Every word that a person reads, in English. ko.ftl holds the same keys; a test compares them.

## The frame
overview = Overview
containers = Containers
images = Images
events = Events
people = People
registries = Registries
audit = Audit
account = Account
host-local = Host local
main-menu = Main menu
skip-to-content = Skip to content
search-everything = Search containers, images, pages
log-in = Log in
log-out = Log out
shortcuts = Keyboard shortcuts
shortcuts-single = Use keys without Ctrl, in this browser
shortcut-search = Search everything
shortcut-filter = Filter this list
shortcut-move = Next and previous row
shortcut-open = Open the row
close = Close
cancel = Cancel
save = Save
copy = Copy
copied = Copied
actions = Actions
connection-lost = Connection lost. What you see may be old; trying again.
connection-back = Connected again
working = Working…
new-one = 1 new, show it
new-many = {"{"}count{"}"} new, show them
selected-one = 1 selected
selected-many = {"{"}count{"}"} selected
select-all = Select all on this page
select-name = Select { $name }
filter = Filter
pages = Pages
previous-page = Previous page
next-page = Next page
range-of = { $range } of { $total }
all = All
name = Name
time = Time
kind = Kind
event = Event
subject = What
detail = Detail
action = Action
actor = Who
outcome = Result
address = Address
age = Age
size = Size
role = Role
added = Added
state = State
page = Page
image = Image
container = Container
ports = Ports
created = Created
cpu = CPU
memory = Memory
network = Network
processes = Processes
download = Download
none = none
yes = Yes
no = No

## Time
just-now = just now
ago = { $duration } ago
seconds = { $count ->
    [one] 1 second
   *[other] { $count } seconds
}
minutes = { $count ->
    [one] 1 minute
   *[other] { $count } minutes
}
hours = { $count ->
    [one] 1 hour
   *[other] { $count } hours
}
days = { $count ->
    [one] 1 day
   *[other] { $count } days
}
months = { $count ->
    [one] 1 month
   *[other] { $count } months
}
years = { $count ->
    [one] 1 year
   *[other] { $count } years
}

## Doors
login-title = Log in
setup-title = Welcome
setup-lead = This link works once. The account made here owns this server.
setup-submit = Create owner and log in
account-name = Name
account-name-hint = Up to 40 letters, digits, dots, dashes, underscores or @.
password = Password
password-hint = At least 10 characters.
password-again = Password again

## Overview
needs-attention = Needs attention
last-events = Last events
running-count = Running
stopped-count = Not running
of-containers = { $count ->
    [one] of 1 container
   *[other] of { $count } containers
}
cpu-of-cores = { $count ->
    [one] of 1 core
   *[other] of { $count } cores
}
of-size = of { $name }
images-size = { $name } on disk
events-none = Nothing has happened yet.
engine = Engine
kernel = Kernel
operating-system = System
cores = Cores
control-groups = Control groups
storage = Storage
shown-as-of = What you see is as it was at { $name }.
host-offline = The engine does not answer. Containers keep running; this page shows the last known state. Look at the engine's log: engine.log beside its socket, or the journal of its service.

## Containers
container-new = New container
containers-filter = Filter: words, state:running image:nginx label:app=shop
containers-none = No containers yet
containers-none-text = A container runs one program from an image, apart from the rest of the machine. gantry/hello is already here to try.
containers-nothing-found = Nothing fits this filter
containers-nothing-found-text = Take a word out of the filter, or look at all containers.
show-all = Show all
start = Start
stop = Stop
restart = Restart
kill = Kill
remove = Remove
rename = Rename
new-name = New name
logs = Logs
stats = Stats
terminal = Terminal
inspect = Inspect
state-created = Created
state-running = Running
state-restarting = Restarting
state-removing = Removing
state-paused = Paused
state-exited = Stopped
state-failed = Failed
state-oom = Out of memory
state-dead = Dead
status-up = Up { $name }
status-exited = Exited { $code }, { $ago }
status-created = Not started yet
sentence-up = Up { $name }
sentence-created = Created { $name }, not started yet
sentence-exited-clean = Ended without error { $name }
sentence-exited = Exited { $code }, { $ago }: { $why }
exit-oom = killed, out of memory
exit-killed = killed (SIGKILL)
exit-terminated = ended by SIGTERM
exit-signal = ended by signal { $name }
exit-error = the program ended with an error
exit-not-found = the command was not found in the image
exit-not-executable = the command cannot be executed
exit-segfault = the program crashed (SIGSEGV)
exit-abort = the program aborted (SIGABRT)
why-stopped = Why did it stop?
why-oom-advice = It used more memory than its limit of { $name }. Give it more, or find out what grows.
why-not-found-advice = Check the command's spelling, and that the image holds it.
why-not-executable-advice = Check the file's permissions, its first line, and that it was built for this machine.
why-killed-advice = Somebody or something killed it without a chance to end well. The audit and the events show who.
why-error-advice = Its last lines usually say why.
why-crash-advice = This is a fault in the program itself, or in a library it uses.
whole-log = The whole log
done-container-renamed = Renamed to { $name }.
done-container-started = { $name } started.
done-container-stopped = { $name } stopped.
done-container-restarted = { $name } restarted.
done-container-killed = { $name } killed.
done-container-removed = { $name } removed.
done-container-created = { $name } created.
failed-container-start = Created, but it did not start: { $name }
failed-bulk-none = Select containers first.
done-password-changed = Password changed. Other sessions are ended.
done-look-saved = Saved.
done-sessions-ended = Other sessions are ended.
done-session-ended = That session is ended.
done-person-added = { $name } can log in now.
done-person-removed = { $name } is removed.
done-image-removed = Image { $name } removed.
done-images-pruned = The unused images are removed; this freed { $name }.
done-image-tagged = The image is now also named { $name }.
done-registry-added = Registry { $name } added.
done-registry-saved = Registry { $name } saved.
done-registry-removed = Registry { $name } removed.
done-registry-tested = { $name } lets us in.
failed-registry-test = { $name }
done-job-cancelled = Cancelling { $name }.
remove-title = Remove container { $name }?
remove-many-title = { $count ->
    [one] Remove 1 container?
   *[other] Remove { $count } containers?
}
remove-goes = Its log and all files written inside it are lost.
remove-goes-running = It runs now and is killed first.
remove-stays = Its image stays.
blocked-not-running = It is not running.
blocked-permission = Your role { $role } does not hold { $permission }.
needs-running = The container is not running.
needs-running-text = Start it to see this.
facts-runs = What it runs
facts-limits = Limits and use
facts-network = Network
facts-security = Security
facts-labels = Labels
facts-env = Environment
facts-logs = Logs
id = ID
digest = Digest
entrypoint = Entry point
command = Command
workdir = Working directory
user = User
hostname = Host name
terminal-allocated = Terminal (TTY)
stdin-open = Keeps stdin open
started = Started
memory-limit = Memory limit
cpu-limit = CPU limit
pids-limit = Process limit
unlimited = unlimited
network-none = none (loopback only)
network-host = the host's own
read-only = Read-only root
capabilities-added = Capabilities added
capabilities-dropped = Capabilities dropped
privileged = Privileged
seccomp = System call filter
log-driver = Log driver
stop-signal = Stop signal
stop-timeout = Stop timeout

## Logs
log-search = Search
log-stream = Stream
log-both = stdout and stderr
log-since = From when
log-last-lines = Last 1,000 lines
log-since-15m = Last 15 minutes
log-since-1h = Last hour
log-since-24h = Last 24 hours
log-time = Times
log-time-local = Local time
log-time-none = No times
log-wrap = Wrap
log-skipped = skipped {"{"}n{"}"} lines: this reader was too slow
log-found = {"{"}i{"}"} of {"{"}n{"}"}
log-end = End of the log
log-lines = {"{"}n{"}"} lines
log-lost = Connection lost, trying again…

## Stats
throttled = Throttled
file-cache = File cache
limit = Limit
received = Received
sent = Sent
block-io = Block I/O
read = Read
written = Written
stats-as-table = As table
stats-network-host = The container uses the host's network; its traffic is not counted apart.

## Terminal
terminal-options = Options
terminal-open = Open
terminal-search = Search the screen
terminal-smaller = Smaller text
terminal-larger = Larger text
terminal-full = Full screen
terminal-again = Open again
terminal-needs-script = The terminal needs JavaScript. Without it: gantry's Docker API and docker exec -it do the same.
terminal-opening = Opening…
terminal-exited = The command ended with code {"{"}n{"}"}.
terminal-lost = Connection lost. The command keeps running for a while; trying again.
terminal-latency = {"{"}n{"}"} ms
terminal-open-link = Open this address in a new tab? {"{"}url{"}"}
terminal-no-shell = This image has no shell. Give a command that it has under Options, or look at the logs.
terminal-not-running = The container is not running. Start it, then open a terminal.
terminal-gone = This terminal has ended, or its container is gone.
terminal-not-started = The command does not start: { $name }
terminal-taken = This terminal was opened in another tab.

## Inspect
inspect-masked = Values of the environment are masked.
inspect-revealed = Values are shown. The audit notes who asked for them.
inspect-reveal = Show values
inspect-search = Search keys and values
unfold-all = Unfold all
fold-all = Fold all
tree-entries = ({"{"}count{"}"})
tree-found = {"{"}count{"}"} found

## Files
files = Files
files-way = Path
files-root = Root of the container
files-above = The folder above
files-filter = Filter: a part of the name
files-none = This folder is empty
files-none-text = Upload files here, or make a folder.
files-none-text-read = There is nothing in it.
files-nothing-found = No name fits this filter
files-nothing-found-text = Take something out of the filter.
files-cut = This folder holds more than { $name } entries. Only so many are counted and sorted; the filter looks through no more.
files-nothing = There is nothing at { $name }.
files-kernels = { $name } belongs to the kernel, not to the container: it can only be read from inside, in a terminal.
files-broken-link = This link leads to { $name }, where nothing is.
files-special = This holds no content that could be shown: it is a { $name }.
files-read-only = Nothing can be written here: it is read-only.
files-of-stopped = The container does not run. These are the files that its next start will find.
file = File
kind-file = file
kind-directory = folder
kind-symlink = link
kind-pipe = pipe
kind-socket = socket
kind-device = device
file-mode = Permission bits
file-owner = Owner
file-modified = Changed
file-length = Size
file-text = Text of the file
file-edit = Edit text
file-overwrite = Overwrite
file-name-lossy = No path leads to this name, which is not UTF-8. Download the folder to get it.
file-binary = This file is not text. Download it to look at it.
file-too-large = This file is longer than { $name } and is not shown. Download it to look at it.
file-locked-length = This file is longer than { $name }, too long to be edited here. Download it, change it and upload it again.
file-locked-ends = The lines of this file end in different ways, which a browser cannot keep. Download it, change it and upload it again.
file-was-changed = Somebody else has changed this file since you opened it. What you typed is kept below. Overwrite replaces what they wrote.
file-look-now = See what it holds now
files-download = Download files
folder-download = Download as .tar
folder-new = New folder
folder-make = Make folder
upload = Upload
upload-title = Upload files
upload-files = Files
upload-files-hint = Or drop them anywhere on this list. Without scripts together up to { $name }.
upload-replaces = Replace files of the same name
upload-replace = Replace
upload-waits = waits
upload-done = Uploaded
upload-cancelled = cancelled
upload-failed = The connection was lost.
upload-folder = A folder cannot be uploaded.
upload-all = {"{"}done{"}"} of {"{"}count{"}"} uploaded
uploads = Uploads
done-file-saved = { $name } saved.
done-folder-made = Folder { $name } made.
done-files-uploaded = Uploaded: { $name }.
obstacle-file-changed = Somebody else has changed the file meanwhile.
obstacle-file-gone = The file is gone.
obstacle-file-too-large = The text is too long to be saved here.
obstacle-name-taken = Something of this name is there already.
obstacle-no-file = It is neither a file nor a folder, so there is nothing to download.
obstacle-kernel-file = It belongs to the kernel, not to the container.
obstacle-broken-off = The file broke off before its end. What was there before still is.
obstacle-read-only-root = The container's root is read-only: only what is mounted in it can be changed.
obstacle-read-only-mount = What is mounted here is read-only.
obstacle-key-missing = Kept passwords cannot be used: the file secrets.key is missing from the server's data directory. Put it back from a backup and start the server again. If it is lost, remove the registries with a kept password, start the server again and add them anew.
obstacle-key-unusable = Kept passwords cannot be used: the file secrets.key in the server's data directory holds no key, or others than the server may read it. Put it back as it was, with mode 600, and start the server again.
obstacle-other-key = This kept password does not open by the key in secrets.key: the file is another one than it was sealed with, or the database was changed. Put the right file back and start the server again, or edit the registry and type its password again.
rule-file-name = must not be empty, . or .., hold a slash or be longer than 255 bytes.
rule-too-large = must not be larger than { $option }.

## Changes
changes = Changes
changes-lead = What this container's files differ in from its image. What is mounted in it is not among them.
changes-filter = Filter: a part of the path, kind:added
changes-none = Nothing was changed
changes-none-text = The files are those of the image.
changes-nothing-found = No change fits this filter
change = Change
change-changed = Changed
change-added = Added
change-deleted = Deleted
path = Path

## Create
create-title = New container
create-submit = Create container
create-set = { $count } set
create-command-line = The same by command
create-what = General
create-networking = Network
create-limits = Limits
create-process = Command and environment
create-security = Rights
create-labelling = Labels
create-image = Image
    .hint = Must be here already; get others on the Images page.
create-name = Name
    .hint = Letters, digits, dots, dashes, underscores. Empty: one is made up.
create-command = Command
    .hint = As in a shell, but no shell is involved. Empty: the image's own.
create-start = Start it at once
    .hint = { "" }
create-environment = Variables
    .hint = One NAME=value a line.
create-network = Network
    .hint = Host shares all ports and addresses of the machine.
create-hostname = Host name
    .hint = Empty: the short id.
create-memory = Memory
    .hint = With unit b, k, m or g. Empty: unlimited.
create-cpus = CPUs
    .hint = Cores, with a fraction. Empty: unlimited.
create-pids = Processes
    .hint = Most processes and threads at once. Empty: unlimited.
create-entrypoint = Entry point
    .hint = Empty: the image's own.
create-working-dir = Working directory
    .hint = Absolute. Empty: the image's own.
create-user = User
    .hint = Name or number, with :group. Empty: the image's own.
create-stop-signal = Stop signal
    .hint = Sent on Stop. Empty: the image's own, or SIGTERM.
create-stop-timeout = Stop timeout
    .hint = Seconds until it is killed. Empty: 10.
create-tty = Give it a terminal (TTY)
    .hint = For interactive programs; stdout and stderr become one.
create-stdin = Keep stdin open
    .hint = For programs that read what is typed.
create-read-only = Read-only root
    .hint = The program cannot change files of its image.
create-cap-drop = Drop capabilities
    .hint = Names separated by spaces, or ALL.
create-cap-add = Add capabilities
    .hint = Beyond the default fourteen. Separated by spaces.
create-labels = Labels
    .hint = One name=value a line.
create-log-max-size = Log file size
    .hint = A log file is turned over at this size. Empty: 10m.
create-log-max-files = Log files
    .hint = How many are kept. Empty: 3.
create-storage = Storage
create-domainname = Domain name
    .hint = { "" }
create-dns = Name servers
    .hint = Addresses, separated by spaces.
create-extra-hosts = Extra hosts
    .hint = One name:address a line.
create-mounts = Folders of the host
    .hint = One /on/host:/in/container a line, with :ro to protect it.
create-tmpfs = Folders in memory
    .hint = One /path a line, with :options if needed.
create-shm-size = Shared memory
    .hint = Size of /dev/shm. Empty: 64m.
create-storage-size = Most it may write
    .hint = Into its own files, where the disk keeps project quotas. Empty: no limit.
create-cpu-shares = CPU weight
    .hint = Against others when CPUs are short. Empty: 1024.
create-ulimits = Limits of the process (ulimit)
    .hint = One name=soft:hard a line.
create-groups = More groups
    .hint = Separated by spaces.
create-auto-remove = Remove it when it ends
    .hint = Its log and files go with it.
create-no-new-privileges = No new privileges
    .hint = No program inside gains rights, for example by setuid.
create-init = An init of its own
    .hint = Reaps orphans and passes signals on.
create-memory-reservation = Memory reservation
    .hint = What it is left with when memory is short.
create-memory-swap = Memory and swap
    .hint = Both together; -1 for no limit. Empty: twice the memory.
create-memory-swappiness = Swappiness
    .hint = 0 to 100. Only with control groups version 1.
create-oom-score-adj = OOM score
    .hint = -1000 to 1000; the highest is killed first.
create-oom-kill-disable = Never kill it for memory
    .hint = It waits instead. Only with control groups version 1.
create-cpuset-cpus = On these CPUs
    .hint = Such as 0-3,6.
create-cpuset-mems = On these memory nodes
    .hint = Such as 0-1.
create-cpu-period = CPU period
    .hint = Microseconds. Use CPUs instead where that suffices.
create-cpu-quota = CPU quota
    .hint = Microseconds in each period.
create-cpu-rt-period = Real-time period
    .hint = Microseconds.
create-cpu-rt-runtime = Real-time share
    .hint = Microseconds in each real-time period.
create-restart = Restart policy
    .hint = no, always, unless-stopped, or on-failure with :times.
create-health-cmd = Health check
    .hint = A line for the shell inside; 0 is healthy. Empty: the image's own.
create-health-interval = Look every
    .hint = Such as 30s or 1m30s. Empty: 30s.
create-health-timeout = Wait at most
    .hint = Such as 5s. Empty: 30s.
create-health-retries = Unhealthy after
    .hint = Failures in a row. Empty: 3.
create-health-start-period = Time to start
    .hint = Failures before that do not count.
create-health-start-interval = Look every, while it starts
    .hint = Empty: 5s.
create-health-off = No health check
    .hint = Not even the image's own.
create-seccomp = System call filter (seccomp)
    .hint = unconfined, builtin, or a profile in JSON. Empty: the built-in one.
create-apparmor = AppArmor profile
    .hint = Where the kernel has AppArmor.
create-privileged = Privileged
    .hint = Every capability and device, no filter: as good as root on the host.
create-system-paths = Show all of /proc and /sys
    .hint = Nothing of the kernel is hidden.
create-writable-cgroups = Writable control groups
    .hint = The program may divide its own share.
create-masked-paths = Hidden paths
    .hint = One a line, in place of the usual ones of /proc and /sys; none hides nothing. docker run has no flag for this.
create-readonly-paths = Paths that are only read
    .hint = One a line, in place of the usual ones of /proc; none protects nothing. docker run has no flag for this.
create-devices = Devices of the host
    .hint = One /dev/path a line, with :/in/container and :rwm if needed.
create-device-rules = Rules for devices
    .hint = One a line, such as c 10:229 rwm.
create-blkio-weight = Disk weight
    .hint = 10 to 1000, against others.
create-blkio-weight-device = Disk weight of one device
    .hint = One /dev/path:weight a line.
create-device-read-bps = Reads, bytes a second
    .hint = One /dev/path:rate a line, such as /dev/sda:10m.
create-device-write-bps = Writes, bytes a second
    .hint = One /dev/path:rate a line.
create-device-read-iops = Reads a second
    .hint = One /dev/path:number a line.
create-device-write-iops = Writes a second
    .hint = One /dev/path:number a line.
create-mount-requests = Mounts in the long form
    .hint = One a line, as after --mount: type=bind or type=tmpfs.
create-expose = Ports it listens on
    .hint = A note for people: 80/tcp. Nothing is published.
create-dns-search = Search domains
    .hint = Separated by spaces.
create-dns-options = Resolver options
    .hint = Separated by spaces, such as ndots:2.
create-log-driver = Log driver
    .hint = none keeps no log at all.
create-annotations = Annotations
    .hint = One name=value a line.
create-pid-mode = Processes it sees
    .hint = host, or container:NAME. Empty: its own.
create-ipc-mode = Shared memory it sees
    .hint = private, shareable, host, none, or container:NAME.
create-uts-mode = Host name it has
    .hint = host: the machine's, and no other can be chosen.
create-cgroupns-mode = Control groups it sees
    .hint = host: all of the machine's.
create-userns-mode = User ids
    .hint = host, or empty.
create-cgroup-parent = Parent control group
    .hint = A path. Empty: the engine's own.
create-sysctls = Kernel settings (sysctl)
    .hint = One name=value a line; only those that are its own.
create-health = Restart and health
create-hardware = Devices and disk speed
create-logging = Log
create-namespaces = Namespaces and kernel
create-usual = As usual
create-masked = Values shown as •••••• stay as they are, unless you type others.
duplicate = Duplicate
duplicate-title = Duplicate { $name }
edit = Edit
edit-title = Edit { $name }
edit-submit = See what would change
kept-title = Also kept
kept-text = The form has no field for these. They are carried along as they are.
plan-anew = It will be made anew
plan-in-place = It will be changed in place
plan-nothing = Nothing would change
plan-nothing-text = The form says what is there already.
plan-in-place-text = The container goes on while this is changed. Nothing is lost.
plan-anew-steps = A new container is made first, then the old one is stopped, and the new one takes its name. It has another id and a new log.
plan-anew-back = If the new one does not start, ends within three seconds or, where it has a health check, does not become healthy, the old one comes back with its name and runs again if it ran.
plan-changes = What changes
plan-what = Option
plan-before = Before
plan-after = After
plan-how = How
plan-row-in-place = In place
plan-row-anew = Made anew
plan-image-moved = The name leads to another image by now
plan-keep-old = Keep the old container, stopped and under another name
plan-apply = Apply
plan-form = Back to the form
done-container-edited = { $name } is changed.
warned-container-edited = Changed, with a warning from the engine: { $name }
warned-container-created = Created, with a warning from the engine: { $name }
failed-container-edit = Not changed. { $name }
edit-went-back = The old container is back. What went wrong: { $name }
edit-went-back-running = The old container is back and runs again. What went wrong: { $name }
edit-goes-back = The old container comes back as soon as the engine answers; until then its name may end in -before-edit and four digits. What went wrong: { $name }
edit-goes-on = It is being made anew: { $name }.
edit-old-stays = The old container is still there as { $name }.
edit-mended-on = The server was interrupted: the new container stays, and what was left to do is done.
edit-mended-back = The server was interrupted: the old container is back.
edit-step-create = Make the new container, aside
edit-step-stop = Stop the old one
edit-step-rename = Give its name to the new one
edit-step-start = Start the new one
edit-step-runs = Wait whether it goes on for three seconds
edit-step-healthy = Wait until it is healthy
edit-step-at-most = At most { $name }
edit-step-remove = Remove the old one
edit-step-back = Back to the old one
obstacle-paused = It is paused. Let it go on first.
obstacle-goes-when-stopped = It is removed when it ends, so there would be no way back. Duplicate it, or stop it yourself.
obstacle-edit-goes-on = It is being changed already.
obstacle-changed-meanwhile = It was changed by somebody else meanwhile. Look again what would change.
obstacle-ended-at-once = It ended as soon as it was started, with exit code { $name }.
obstacle-unhealthy = Its health check says that it is not well.
obstacle-not-healthy = It was not healthy after { $name } seconds.
rule-address = must be an IP address; a host is name:address.
rule-restart = must be no, always, unless-stopped, on-failure or on-failure:times.
rule-span = must be a time such as 30s, 1m30s or 500ms, at least 1ms.
rule-port = must be ports such as 80 or 53/udp.
rule-sysctl = every line must look like net.core.somaxconn=1024.
rule-cpuset = must be numbers such as 0-3,6.
rule-ulimit = every line must look like nofile=1024:4096.
rule-device = every line must look like /dev/path, /dev/path:/in/container or /dev/path:/in/container:rwm.
rule-device-rate = every line must look like /dev/sda:10m.
rule-device-rule = every line must look like c 10:229 rwm.
rule-mount-request = every line must look like type=bind,source=/a,target=/b or type=tmpfs,target=/b.
rule-seccomp = must be unconfined, builtin, or a profile in JSON.
rule-masked = dots stand for a value that is not shown. Leave the line as it was, or type the value.
rule-not-with = cannot be used together with { $option }.
plan-anew-files = { $count ->
    [0] What programs wrote inside, outside of its mounts, goes with the old container.
    [one] One changed file inside, outside of its mounts, goes with the old container.
   *[other] { $count } changed files inside, outside of its mounts, go with the old container.
}
paste-title = Paste a docker run line
paste-label = docker run …
paste-hint = Fills the form. What Gantry cannot do is named.
paste-submit = Fill the form
paste-filled = The form is filled from the pasted line.
paste-unsupported = Not taken over, because Gantry cannot do it: { $name }

## What was typed
rule-required = must not be empty.
rule-too-short = at least { $least } characters.
rule-too-long = at most { $most } characters.
rule-name = letters, digits, _ . - only; begins with a letter or digit.
rule-taken = somebody or something has this name already.
rule-common-password = everybody tries this one first; choose another.
rule-password-is-name = must not contain the name.
rule-passwords-differ = the two are not the same.
rule-wrong-password = it is wrong.
rule-wrong-credentials = Name or password is wrong.
rule-too-many-tries = Too many attempts. Try again in { $seconds } seconds.
rule-choice = none of the choices.
rule-number = must be a number from { $least } to { $most }.
rule-size = must be a size with b, k, m or g, such as 512m.
rule-environment = every line must look like NAME=value.
rule-label = every line must look like name=value.
rule-image-name = must look like name:tag, such as nginx:1.29.
rule-registry-address = must be a host with a dot or a port, such as registry.example.com:5000, and nothing behind it.
rule-registry-user = must have no colon and no control characters.
rule-other-registry = the image's name names another registry. Choose that one, or none.
rule-secret-again = the kept password is for the old address and authority, and never sent to another. Type the password for this one.
rule-absolute-path = must begin with /.
rule-mount = every line must look like /on/host:/in/container, with :ro if wanted.
rule-command-line = a quote is not closed.
rule-unknown-option = { $option } cannot be done yet.
rule-moment = must be a time ago such as 15m, or a moment such as 2026-01-31T12:00:00Z.
rule-no-such-image = there is no such image here. Pull it first.
rule-too-many = at most { $most } of them.
obstacle-too-many-terminals = Too many terminals are open; close one.
obstacle-too-many-jobs = { $name } jobs go on already; wait for one or cancel it.
obstacle-cancelled = It was cancelled.
obstacle-shut-down = The server was shut down meanwhile.
obstacle-revoked = You were logged out, or may no longer do this.
obstacle-last-owner = The last owner cannot be removed.
rule-engine = { $message }
form-has-problems = { $count ->
    [one] One field needs another look.
   *[other] { $count } fields need another look.
}
paste-not-a-command = The line cannot be read: a quote is not closed, or it is too long.
paste-not-docker-run = This is no docker run line.
paste-no-image = The line names no image.

## Images
pull-title = Pull from a registry
pull = Pull
load-title = Load from a file
load = Load
image-reference = Image
image-reference-hint = Such as nginx:1.29 or registry.example.com/team/app:2
image-registry = Registry
image-registry-hint = Where a name without a registry is looked for.
image-registry-none = As the name says
pull-tags = Show tags
pull-tags-found = { $count ->
    [0] This repository has no tags.
    [one] One tag; the field completes it.
   *[other] { $count } tags; the field completes them.
}
pull-tags-cut = { $count ->
   *[other] The first { $count } tags; there are more.
}
image-platform = Platform
image-platform-hint = Empty: this machine's.
image-file = Archive
image-file-hint = Made by docker save, or an OCI archive; plain, gzip or zstd.
registry-user = Registry user
registry-user-hint = Where the registry asks for one. Empty: the name that is kept for this registry, if there is one.
registry-password = Registry password or token
images-filter = Filter: words
images-none = No images
images-none-text = Pull one from a registry or load an archive; containers are made from images.
image-without-name = without a name
image-used-by = { $count ->
    [0] not used
    [one] 1 container
   *[other] { $count } containers
}
image-run = Run
image-remove-title = Remove image { $name }?
image-remove-goes = The names of this image, and layers that no other image uses.
image-remove-stays = Containers and other images stay.
image-blocked-used = Containers use it: { $name }.
image-runs = What its containers run
image-tag = Add name
image-tag-title = Another name
image-tag-hint = Such as team/app:2
image-push = Push
image-push-title = Push to a registry
image-push-hint = The name says where: registry.example.com/team/app:2. One without a registry goes to Docker Hub.
image-push-needs-name = Give it a name first: the name says to which registry it goes.
image-shared = Shared
images-prune = Remove unused
images-prune-title = Remove images that nothing needs
images-prune-which = Which images
images-prune-nameless = Without a name
images-prune-unused = All without containers
images-prune-frees = This frees { $name }.
images-prune-frees-hint = Layers that other images share stay.
images-prune-none = Nothing to remove
images-prune-none-text = A container is made of each image that could be chosen here, or each has a name.
images-prune-yes = { $count ->
    [one] Remove { $count } image
   *[other] Remove { $count } images
}
image-save = Save as archive
image-names = Names
image-platform-is = Platform
layers = Layers
layer-command = Step

## Builds
build = Build
build-title = Build an image
build-name-hint = Such as team/app:2. Empty: the image has no name and goes by its id.
build-dockerfile = Dockerfile
build-dockerfile-hint = Empty: the Dockerfile of the context. What stands here is used instead of it, and is no file of the context.
build-dockerfile-keys = Tab indents; press Escape first to leave the field with it.
build-faults = { $count ->
    [one] One fault
   *[other] { $count } faults
}
build-reads-well = { $count ->
    [one] It reads well: one stage.
   *[other] It reads well: { $count } stages.
}
build-unchecked = What is typed could not be checked.
build-has-faults = The Dockerfile has faults; nothing was built. Choose the files again when it is mended.
build-place = Line { $line }, column { $column }
build-meant = Did you mean { $name }?
build-options = Options
build-options-set = { $count ->
   *[other] { $count } set
}
build-args = Build arguments
build-args-hint = One NAME=value a line. They stay readable in the image's history: no passwords.
build-target = Stage
build-target-hint = The stage to build, by name or number. Empty: the last.
build-labels = Labels
build-labels-hint = One name=value a line.
build-memory = Memory of a step
build-memory-hint = Such as 512m. Empty: no limit.
build-cpus = Processors of a step
build-cpus-hint = Such as 1.5. Empty: no limit.
build-no-cache = Do every step again
build-no-cache-hint = Nothing is taken from earlier builds.
build-pull = Look for newer base images
build-pull-hint = Even those that are here are asked for at their registry.
build-context = Files
build-context-text = What COPY and ADD take files from. Without any, only the Dockerfile is built.
build-remote = Address
build-remote-hint = A Git repository as https://…/app.git#branch:folder, or an archive. This host's engine fetches it.
build-archive = Archive
build-archive-hint = A tar file, plain or compressed.
context-drop = Drop files or a folder here, or
context-folder = Choose a folder
context-choose = Choose files
context-clear = Leave them out
context-rights = They are packed in this browser and sent when you press Build. Every file comes as readable and executable, because a browser does not say more.
context-files = Chosen: {"{"}count{"}"} files, {"{"}size{"}"}
context-too-many = More than {"{"}count{"}"} files: pack them into a tar archive yourself.
context-too-large = {"{"}name{"}"} is too large for the archive that a browser can make.
context-reading = Reading: {"{"}count{"}"} files
context-broken = {"{"}name{"}"} cannot be read.
build-step-cached = From the cache
build-step-stopped = Broken off
build-step-left = Not reached
build-step-stage = Stage { $name }
build-step-line = Line { $name }
build-step-seconds = { $name } s
build-step-minutes = { $minutes } min { $seconds } s
build-step-output = What step { $name } says
build-step-silent = It says nothing.
build-lines-left-out = { $count ->
    [one] One earlier line is left out.
   *[other] { $count } earlier lines are left out.
}
build-steps-left-out = { $count ->
    [one] One more step is not shown.
   *[other] { $count } more steps are not shown.
}
build-note = { $done } of { $total } steps, { $cached } from the cache
build-note-files = The files are on their way.
build-note-done = Built { $image } in { $total } steps, { $cached } from the cache
build-failed-code = Step { $step }, line { $line } of the Dockerfile, ended with exit code { $code }.
build-failed-line = Step { $step }, line { $line } of the Dockerfile, failed.
build-failed-step = Step { $step } failed.
job-build = Build { $name }
rule-context-address = must begin with http:// or https://, without a name or a password in it.
rule-one-context = has an address and files: choose one of them.

## Registries
registry-add = Add a registry
registry-edit = Edit the registry
registry-name-hint = What people call it here.
registry-address = Address
registry-address-hint = Such as registry.example.com or 10.0.0.5:5000; Docker Hub is docker.io.
registry-who = Logs in as
registry-nobody = nobody: what is open to all
registry-keep-user-hint = Empty: what is open to all.
registry-secret = Password or token
registry-secret-hint = Kept encrypted, sent to this registry alone, never shown again.
registry-secret-kept = Empty: the kept one stays. Another address asks for it again.
registry-test = Test
registry-narrow = Narrow
registry-filter = A part of the name
registry-ask = Tags of a repository
registry-pull = Pull
registries-none = No registries yet
registries-none-text = Name a registry once, with a name and a password there, and pull from it and push to it without typing them again.
registry-remove-title = Remove registry { $name }?
registry-remove-goes = The password that is kept for it. Pulls from { $name } and pushes to it ask for one again.
registry-remove-stays = Images that came from it, and everything in the registry itself.
repositories = Repositories
repository = Repository
repository-hint = Such as team/app
tags = Tags
tag = Tag
repositories-none = Nothing there fits.
repositories-cut = There are more: narrow the list.
tags-none = This repository has no tags.
tags-cut = There are more; pull one by its name.

## Jobs
jobs = Jobs
jobs-none = No jobs. Pulls, pushes, loads and edits that make a container anew appear here and keep running while you go elsewhere.
jobs-running = { $count ->
    [0] Jobs: none running
    [one] Jobs: 1 running
   *[other] Jobs: { $count } running
}
job-pull = Pull { $name }
job-push = Push { $name }
job-load = Load { $name }
job-edit = Change { $name }
job-stage-waiting = To come
job-running = Running
job-done = Done
job-failed = Failed
job-cancelled = Cancelled
job-cancel = Cancel
job-waiting = Waiting
job-downloading = Downloading
job-verifying = Verifying
job-extracting = Unpacking
job-compressing = Compressing
job-uploading = Uploading
job-layer-done = Done
job-layer-here = Already here
job-layer-there = Already there
job-layers = { $done } of { $total } layers
job-bytes = { $done } of { $total }
job-open-image = Open the image
job-open-container = Open the container

## Events and audit
events-filter = Filter: words, type:container action:die
events-none-found = No events fit
events-none-found-text = Events appear here as they happen, newest first.
audit-filter = Filter: words
audit-none = No entries fit
audit-none-text = Every change is written down here: who, what, on what, and how it ended.
outcome-done = Done
outcome-failed = Failed
outcome-refused = Refused
refused-too-many-tries = Too many wrong passwords: this one was not looked at.
refused-times = { $name } times more
outcome-open = Unfinished
event-exit-code = exit code { $name }

## Account and people
account-look = Language and theme
language = Language
theme = Theme
theme-system = As the system
theme-light = Light
theme-dark = Dark
account-password = Password
account-password-save = Change password
password-old = Present password
password-new = New password
account-sessions = Where you are logged in
last-seen = Last used
session-current = this one
session-browser = Browser
session-address = Address
session-end = End
unknown = unknown
people-add = Add a person
person-remove-title = Remove { $name } from this server?
person-remove-goes = The account is gone, and its sessions and open pages end at once.
person-remove-own = It is your own account: you are logged out.
person-remove-stays = Containers and images stay, and so does what the audit says of this person.
blocked-last-owner = The last owner cannot be removed: nobody could manage this server.
role-owner = Owner
role-viewer = Viewer

## Search
search-results = Results for “{ $name }”
search-none = Nothing has this name.

## Problems
problem-not-found = Not found
    .text = There is nothing at this address, or nothing you may see.
    .advice = It may have been removed or renamed since.
problem-not-allowed = Not allowed
    .text = Your role does not allow this.
    .advice = Ask an owner of this server for it.
problem-other-site = Refused
    .text = This request did not come from a page of this server.
    .advice = Open the page here and try again.
problem-logged-out = Logged out
    .text = You are not logged in.
    .advice = Log in and try again.
problem-malformed = That cannot be read
    .text = Something in the request is not as it must be.
    .advice = Go back and look at what was sent.
problem-conflict = Not possible now
    .text = The state of the thing, or another thing, stands in the way.
    .advice = Look at what it says and try again.
problem-too-large = Too large
    .text = What was sent is larger than this server takes.
    .advice = Send less.
problem-too-often = Too often
    .text = Too many requests in a short time.
    .advice = Wait a moment, then try again.
problem-too-slow = Too slow
    .text = The request took too long to arrive, so it was not waited for.
    .advice = Look at the connection, then try again.
problem-engine = The engine refused
    .text = The engine did not do it.
    .advice = Look at what it says and try again.
problem-unavailable = The engine does not answer
    .text = Containers keep running, but nothing can be changed until the engine is back.
    .advice = Try again in a moment.
problem-audit = Nothing was changed
    .text = The audit could not be written, so the change was not made.
    .advice = Look whether the server's disk is full.
problem-internal = Something broke
    .text = The server could not finish this, and it is not your fault.
    .advice = Try again. If it happens again, the server's log has the details under this request.
engine-no-socket = The engine does not answer
    .text = There is no engine at { $name }.
    .advice = Start it on that machine: gantry-engine serve
engine-nobody-listens = The engine does not answer
    .text = The engine at { $name } has ended. Containers keep running.
    .advice = Start it again: gantry-engine serve
engine-no-access = The engine cannot be reached
    .text = This server may not use { $name }.
    .advice = Start the engine with --socket-group set to a group of the server's account, or start the server as root.
engine-too-slow = The engine does not answer in time
    .text = Containers keep running, but nothing can be changed until the engine is back.
    .advice = Look at the load of the machine, then try again.
engine-strange = This is no engine
    .text = What answers is not Gantry's engine: { $name }
    .advice = Look at which program uses the socket.
engine-broken = The connection to the engine broke
    .text = { $name }
    .advice = Try again in a moment.
login-setup-needed = Nobody owns this server yet. Open the set-up link that gantry serve printed, or run: gantry admin owner
request-id = Request
back-to-overview = To the overview
back = Back

language-browser = As the browser asks
engine-warning = Warning
actor-server = the server
actor-operator = the operator at the command line
outcome-interrupted = Interrupted
session-since = Logged in
sessions-end-others = End all other sessions
container-try-hello = Run gantry/hello
security-options = Security options
facts-storage = Storage
problem-setup-used = This set-up link does not work
    .text = It is used up or wrong; each link works once.
    .advice = Start gantry again to get a new one, or run: gantry admin owner
log-new = {"{"}n{"}"} new lines ↓
log-previous = Previous match
log-next = Next match
log-view = View
log-regex = Regular expression
log-only = Only matching lines
log-invert = Invert
log-follow = Follow
terminal-resumed = Taken up again
log-levels = Levels found in the lines
log-copy = Copy what is shown
log-download = Download what the filter leaves
log-merge = Put other logs beside it
log-without = Take { $name } out
log-add = Another container
log-title = { $count ->
    [one] Log of 1 container
   *[other] Logs of { $count } containers
}
level-error = Error
level-warn = Warning
level-info = Info
level-debug = Debug
level-trace = Trace
add = Add
list-look = Columns
list-columns = Columns
list-density = Rows
density-roomy = Roomy
density-compact = Compact
bulk-mix = {"{"}alive{"}"} running, {"{"}asleep{"}"} not running
bulk-start = Starts {"{"}asleep{"}"}. Running already: {"{"}alive{"}"}.
bulk-stop = Stops {"{"}alive{"}"}. Not running anyway: {"{"}asleep{"}"}.
bulk-restart = Interrupts {"{"}alive{"}"} and starts {"{"}asleep{"}"}.
bulk-remove = Deletes {"{"}count{"}"} with their logs and files, after a question. Still running: {"{"}alive{"}"}.
bulk-done = { $action }: all { $total } done
bulk-done-some = { $action }: { $done } of { $total } done
back-to-containers = To the containers
recipes = The same by command
recipes-text = For a shell on the machine of the engine.
show-command = Command
show-call = API call
call-needs-form = # A field needs another look first.
why-ended = How it ended
why-cause = Cause
why-lost = its monitor or its host was gone; nobody knows more
why-not-started = its program could not be started
why-oom = the kernel killed it for want of memory
why-signal = a signal that nobody asked this engine for
why-signal-name = Signal
why-asked = Asked by
why-asked-by = { $who } ({ $verb }, { $signal })
why-asked-forced = { $who } ({ $verb }, { $signal }); it did not end in time and was killed
why-memory-peak = Most memory held
why-ran-for = Ran for
why-restarts = Restarts before
why-changed = Changed since it ran well: { $name }
why-last-lines = Its last lines
why-last-probe = What its last health check said
health = Health
health-healthy = Healthy
health-unhealthy = Unhealthy
health-starting = Starting
health-check = Check
health-every = Every
health-failing = Failed in a row
is-healthy = healthy
is-unhealthy = unhealthy
is-starting = health not known yet
probe-well = Well
probe-not-run = Not run, or too slow
facts-restarts = Restarts
restart-policy = Restart policy
restart-count = Restarted
restart-no = never
restart-always = always
restart-unless-stopped = unless it was stopped
restart-on-failure = when it fails
restart-on-failure-most = when it fails, at most { $name } times
shortcut-select = Select the row
shortcut-new = New
shortcuts-go = Go to
shortcuts-list = In a list
shortcuts-thing = Of a container
shortcuts-everywhere = Everywhere
pause = Pause
unpause = Unpause
done-container-paused = { $name } paused.
done-container-unpaused = { $name } goes on.

## Layers of an image
image-history = History
layer = Layer
layer-of = of { $total }
layer-below = The layer below
layer-above = The layer above
layer-show = Show
layer-empty = changes no file
layer-unnamed = (the image does not say)
layer-files = Files
layers-together = All layers together
wasted = Wasted
wasted-of = { $wasted } of { $size }
wasted-files = Most wasted files
wasted-lead = Content that every pull brings and no container sees: a later layer replaces or removes it.
wasted-none = Nothing is wasted.
wasted-fate = Now
wasted-replaced = replaced
wasted-removed = removed
efficiency = Efficiency
image-files-root = Root of the image
image-files-changes = Only changes of this layer
image-files-unchanged = This layer changes nothing here
image-files-unchanged-text = Show all files, or look at another layer.
image-files-none-text = There is nothing in it.
image-file-before = was { $name }
image-file-replaced-by = Replaced or removed by layer { $name }
image-file-from = From layer
image-file-name-lossy = No path leads to this name, which is not UTF-8.
image-files-broken-link = There is nothing at { $name } in this layer. It may be a link to what is not in the image, or come with another layer.
image-files-list = List files of the image
image-file-read = Read a file of the image
image-layers-read = What each layer did
updates = Updates
updates-automatic = The server asks registries by itself for the tags that containers run: each a few times a day, one at a time.
updates-off = The server does not ask by itself (--update-checks off): use Check now.
update-behind = Update available
update-current = Up to date
update-unknown = Could not be checked
update-under-way = Checking
update-unasked = Not checked yet
update-checked = checked { $name }
update-unknown-note = { $why }, { $age }
update-pull = Pull it
update-anew = Edit: make it anew
update-check = Check now
update-made-here = Not checked: this image did not come from that repository and was not pushed there.
update-by-digest = Not checked: a name by digest always stands for the same content.
update-by-id = Not checked: it is named by its id, which no registry knows.
image-unused = Unused
image-dangling = Dangling
image-unique = Unique
done-update-asked = The registry is asked for { $name }.
obstacle-registry-rests = The registry limits how often it is asked. It is left alone for another { $name } seconds.
obstacle-too-many-checks = Too many checks wait already. Try again in a minute.
registry-authority = Certificate authority
registry-authority-hint = Optional: PEM of the authority that signed the registry's certificate. It is trusted for this registry alone.
rule-certificate = must be certificates in PEM (-----BEGIN CERTIFICATE-----), without a private key.

## Networks
networks = Networks
networks-list = List
networks-picture = Picture
networks-filter = Name, subnet, driver:bridge, label:app
networks-none = No network fits
networks-none-text = Containers in one network find each other by name; what is in no common network does not.
network-new = New network
network-create = Create the network
network-more = Addresses, options, labels
network-settings = Options and labels
network-driver = Driver
network-driver-hint = A bridge on this host; containers in it reach each other by name.
network-subnets = Subnets
network-subnet = Subnet (IPv4)
network-subnet-hint = Such as 10.5.0.0/24. Empty: the next free one.
network-gateway = Gateway
network-gateway-hint = An address in the subnet. Empty: its first one.
network-range = Range for containers
network-range-hint = The part of the subnet that addresses are given from, such as 10.5.0.128/25.
network-subnet6 = Subnet (IPv6)
network-subnet6-hint = Such as fd00:5::/64. Empty: one is chosen, where IPv6 is on.
network-gateway6 = Gateway (IPv6)
network-ipv6 = IPv6
network-ipv6-hint = Containers get an IPv6 address too.
network-internal = Internal
network-internal-hint = No way out and no way in: containers in it reach each other and nothing else.
network-mtu = MTU
network-mtu-hint = The largest packet in bytes. Empty: the host's own.
network-icc = Containers in it may reach each other
network-masquerade = Traffic to the outside has the host's address
network-labels-hint = One name=value a line.
network-scope = Scope
network-addresses = Addresses
network-mac = MAC address
network-aliases = Also called
network-nobody = No container is in it.
network-members = { $count ->
    [0] no container
    [one] 1 container
   *[other] { $count } containers
}
network-builtin = built in
network-connect-title = Connect a container
network-connect = Connect
network-disconnect = Disconnect
network-connect-none = Every container is in it already.
network-connect-never = Containers choose this network when they are created.
network-container-hint = It keeps the networks that it is in.
network-address-hint = Empty: the next free one.
network-aliases-hint = More names for it in this network, separated by spaces.
network-blocked-builtin = It belongs to the engine.
network-blocked-used = In use by { $name }. Disconnect or remove those first.
network-remove-title = Remove network { $name }?
network-remove-goes = Its name, its addresses and its options. A container that names it does not start any more.
network-remove-stays = Every container and its data.
networks-prune = Remove unused ones
networks-prune-title = Networks that nobody is in
networks-prune-text = These have no container, running or stopped.
networks-prune-none = Nothing to remove
networks-prune-none-text = Every network has a container in it, or belongs to the engine.
networks-prune-yes = { $count ->
    [one] Remove 1 network
   *[other] Remove { $count } networks
}
picture-title = Networks of this host
picture-summary = { $networks } networks and { $containers } containers. Each box is a network with its containers; a container beside the boxes is in several, with a line to each.
port = Port
port-protocol = Protocol
port-address = Host address
port-all = all
port-inner = In the container
port-conflict = Conflict
port-conflict-with = also { $name }
port-any = chosen at start
ports-from = Look for a free port from
ports-from-hint = 1 to 65535.
ports-free-find = Find the next free port
ports-free = { $name } is free: no container has or wants it.
ports-free-none = No port from there on is free.
ports-none = No port is published
ports-none-text = A published port leads from the host to a container: this is where all of them are.
container-networks = Its networks
rule-subnet = must be a subnet, such as 10.5.0.0/24 or fd00:5::/64.
done-network-created = Network { $name } created.
done-network-connected = { $name } is connected.
done-network-disconnected = { $name } is disconnected.
done-network-removed = Network { $name } removed.
done-networks-pruned = Unused networks removed: { $name }.
failed-network-disconnect = { $name }
ipv4 = IPv4 address
ipv6 = IPv6 address
container-joinable = Connect it to another network:

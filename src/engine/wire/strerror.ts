/** glibc's words for system errors, in both directions: csync2's daemon answers with strerror(3) in the C locale. */

const TEXTS: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EIO: 'Input/output error',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  EAGAIN: 'Resource temporarily unavailable',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EXDEV: 'Invalid cross-device link',
  ENODEV: 'No such device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ETXTBSY: 'Text file busy',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EMLINK: 'Too many links',
  EPIPE: 'Broken pipe',
  ENAMETOOLONG: 'File name too long',
  ENOSYS: 'Function not implemented',
  ENOTEMPTY: 'Directory not empty',
  ELOOP: 'Too many levels of symbolic links',
  EOVERFLOW: 'Value too large for defined data type',
  EILSEQ: 'Invalid or incomplete multibyte or wide character',
  EBADMSG: 'Bad message',
  EOPNOTSUPP: 'Operation not supported',
  ESTALE: 'Stale file handle',
  EUCLEAN: 'Structure needs cleaning',
  EDQUOT: 'Disk quota exceeded',
  ECANCELED: 'Operation canceled',
};

const NAMES: ReadonlyMap<string, string> = new Map(Object.entries(TEXTS).map(([name, text]) => [text, name]));

/** The text of an errno name; EIO's for one that is not listed. */
export function strerror(errno: string): string {
  return TEXTS[errno] ?? 'Input/output error';
}

/** The errno name of a text; undefined when it is not glibc's. */
export function errnoOfText(text: string): string | undefined {
  return NAMES.get(text);
}

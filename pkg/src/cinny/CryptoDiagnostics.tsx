import React, { KeyboardEvent, ReactNode, useCallback, useEffect, useRef, useState } from 'react';
import { Badge, Box, Button, Input, Text, color } from 'folds';
import {
  CaptureStatus,
  Counts,
  Mark,
  MarkKind,
  MeaningCounts,
  clear,
  collectReport,
  downloadReport,
  mark,
} from 'crypto-diag';
import { useCryptoDiag } from 'crypto-diag/react';
// Typed only where tsconfig.json sets resolveJsonModule; the bundler takes the one field.
// eslint-disable-next-line @typescript-eslint/ban-ts-comment
// @ts-ignore
import { version as sdkVersion } from 'matrix-js-sdk/package.json';
import { SequenceCard } from '../../../components/sequence-card';
import { SettingTile } from '../../../components/setting-tile';
import { useMatrixClient } from '../../../hooks/useMatrixClient';
import { SequenceCardStyle } from '../styles.css';

/** Every text of the card, in the form of an i18next resource: to translate it, let `say` call i18next's `t`. */
export const STRINGS = {
  title: 'Crypto Diagnostics',

  failuresTitle: 'Encryption Failures',
  badge_zero: 'None',
  badge_one: '{{count}} failure',
  badge_other: '{{count}} failures',
  badgeNotWatching: 'Not watching',
  family: '{{name}}: {{count}}',
  'KE-1': 'KE-1 one-time key conflicts',
  OLM: 'OLM sessions',
  'KE-2': 'KE-2 call media keys',
  'KE-3': 'KE-3 undecryptable events',
  'KE-4': 'KE-4 delayed call events',
  quiet: 'Also seen: {{list}}.',
  transient: '{{count}} transient',
  delivered_one: '{{count}} delivered key',
  delivered_other: '{{count}} delivered keys',
  unrelated_one: '{{count}} unrelated line',
  unrelated_other: '{{count}} unrelated lines',

  watching_zero: 'Watching main window.',
  watching_one: 'Watching main window and {{count}} call frame.',
  watching_other: 'Watching main window and {{count}} call frames.',
  blindFrames_one: 'Cannot watch {{count}} frame of another origin.',
  blindFrames_other: 'Cannot watch {{count}} frames of another origin.',
  'not-installed': 'Not watching: cryptoDiagLog is not imported.',
  starting: 'Starting.',
  stopped: 'Stopped; what was kept is still here.',
  blind: 'Blind: no line is kept. {{reason}}',
  failed: 'The capture failed; what it had kept is still here. {{reason}}',

  sessionTitle: 'Capture Session',
  sessionIdle:
    'For a call in trouble: start, mark what goes wrong while it happens, end, download.',
  sessionRunning:
    'Running since {{time}}. These settings may be closed meanwhile, the page may not.',
  sessionStart: 'Start',
  sessionEnd: 'End',
  audioCut: 'Audio cut',
  videoFroze: 'Video froze',
  noSound: 'No sound from …',
  noSoundLabel: 'no sound',
  noSoundFrom: 'no sound from {{who}}',
  words: 'From whom, or what else goes wrong',
  wordsHint: 'Who, or what',
  mark: 'Mark',
  marked: 'Marked',
  start: 'Session started',
  end: 'Session ended',

  reportTitle: 'Report',
  reportDescription:
    'Ids, versions and the matching console lines, without secrets, as a file for you to hand over.',
  preview: 'Preview',
  hidePreview: 'Hide preview',
  previewEarlier_one: 'It also holds {{count}} earlier page of this tab.',
  previewEarlier_other: 'It also holds {{count}} earlier pages of this tab.',
  download: 'Download report',
  downloaded: 'Saved as {{name}}.',
  newer_one: '{{count}} line has come since.',
  newer_other: '{{count}} lines have come since.',
  downloadFailed: 'The report could not be saved: {{reason}}',

  analysisTitle: 'What It Points To',
  copyQueries: 'Copy server queries',
  queriesCopied: 'Copied. They are for whoever runs the homeserver.',
  queriesFailed: 'The server queries could not be copied: {{reason}}',

  clearTitle: 'Clear',
  clearDescription: 'Forget all lines, those of earlier pages too, to begin a new capture.',
  clear: 'Clear',
  clearConfirm: 'Really clear?',
  cleared: 'Cleared.',
};

type StringKey = keyof typeof STRINGS;

function pluralOf(count: number): string {
  if (count === 0) return 'zero';
  return count === 1 ? 'one' : 'other';
}

function say(key: string, values: Record<string, string | number> = {}): string {
  const { count } = values;
  const forms =
    typeof count === 'number' ? [`${key}_${pluralOf(count)}`, `${key}_other`, key] : [key];
  const found = forms.find((form) => Object.prototype.hasOwnProperty.call(STRINGS, form));
  const text = found === undefined ? key : STRINGS[found as StringKey];
  return text.replace(/{{(\w+)}}/g, (_, name) => String(values[name] ?? '')).trim();
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** "KE-1 one-time key conflicts: 2", "KE-2 call media keys: 1": each family that has failures. */
function familiesOf(counts: Counts): string[] {
  return Object.keys(counts.byKe)
    .filter((ke) => counts.byKe[ke].failure > 0)
    .map((ke) => say('family', { name: say(ke), count: counts.byKe[ke].failure }));
}

/** "Also seen: KE-2 call media keys: 3 transient, 1 delivered key."; empty if all that matched is a failure. */
function quietLine(counts: Counts): string {
  const said = (counted: MeaningCounts) =>
    (['transient', 'delivered', 'unrelated'] as const)
      .filter((meaning) => counted[meaning] > 0)
      .map((meaning) => say(meaning, { count: counted[meaning] }))
      .join(', ');
  const list = Object.keys(counts.byKe)
    .filter((ke) => said(counts.byKe[ke]))
    .map((ke) => say('family', { name: say(ke), count: said(counts.byKe[ke]) }))
    .join(' · ');
  return list && say('quiet', { list });
}

/** What is watched, or what the capture is blind to. */
function captureLine({ state, reason, frames, blindFrames }: CaptureStatus): string {
  if (state !== 'capturing') return say(state, { reason: reason ?? '' });
  const watching = say('watching', { count: frames });
  return blindFrames > 0 ? `${watching} ${say('blindFrames', { count: blindFrames })}` : watching;
}

type AnalysisModule = typeof import('crypto-diag/analysis');

/** Milliseconds from one analysis to the next, while lines keep coming. */
const ANALYSIS_PAUSE = 5000;

/** One sentence on what the lines mean, and what to ask the server about them. */
type Analysis = { summary: string; queries: string };

/**
 * By a module that is loaded only once there are lines. Null until then, and for good where the module does not load:
 * the card is then without it.
 */
function useAnalysis(counts: Counts): Analysis | null {
  const mx = useMatrixClient();
  const [module, setModule] = useState<AnalysisModule | null>(null);
  const [analysis, setAnalysis] = useState<Analysis | null>(null);
  const lastStart = useRef(0);
  /** Raised by Clear: an analysis that was under way then is of lines that are gone. */
  const epoch = useRef(0);
  const hasLines = counts.total > 0;

  useEffect(() => {
    if (!hasLines) return undefined;
    let wanted = true;
    const load = async () => {
      try {
        const loaded = await import('crypto-diag/analysis');
        if (wanted) setModule(loaded);
      } catch {
        // The card is then without it.
      }
    };
    load();
    return () => {
      wanted = false;
      epoch.current += 1;
      setAnalysis(null);
    };
  }, [hasLines]);

  useEffect(() => {
    if (!module || !hasLines) return undefined;
    const analyse = async () => {
      const begun = epoch.current;
      lastStart.current = Date.now();
      let found: Analysis | null = null;
      try {
        const report = await collectReport(mx, { sdkVersion });
        const { summary } = await module.analyse(report);
        const { text } = await module.serverQueries(report);
        found = { summary, queries: text };
      } catch {
        // The card is then as it is where the module does not load.
      }
      if (epoch.current === begun) setAnalysis(found);
    };
    const pause = Math.max(0, lastStart.current + ANALYSIS_PAUSE - Date.now());
    const timer = setTimeout(analyse, pause);
    return () => clearTimeout(timer);
  }, [module, hasLines, counts, mx]);

  return analysis;
}

/** Milliseconds after which a Clear that is not confirmed is forgotten. */
const CONFIRM_WITHIN = 10000;

function useConfirmed(action: () => void) {
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) return undefined;
    const timer = setTimeout(() => setAsking(false), CONFIRM_WITHIN);
    return () => clearTimeout(timer);
  }, [asking]);
  const click = () => {
    setAsking(!asking);
    if (asking) action();
  };
  const cancel = useCallback(() => setAsking(false), []);
  return { asking, click, cancel };
}

type CardButtonProps = {
  onClick: () => void;
  onBlur?: () => void;
  critical?: boolean;
  disabled?: boolean;
  children: ReactNode;
};
function CardButton({ onClick, onBlur, critical, disabled, children }: CardButtonProps) {
  return (
    <Button
      onClick={onClick}
      onBlur={onBlur}
      disabled={disabled}
      variant={critical ? 'Critical' : 'Secondary'}
      fill="Soft"
      size="300"
      radii="300"
      outlined
    >
      <Text size="B300">{children}</Text>
    </Button>
  );
}

function Card({ children }: { children: ReactNode }) {
  return (
    <SequenceCard
      className={SequenceCardStyle}
      variant="SurfaceVariant"
      direction="Column"
      gap="400"
    >
      {children}
    </SequenceCard>
  );
}

const timeOf = (ts: number): string => new Date(ts).toLocaleTimeString();

/** When the session that is running began; the page's marks say it, so that closed settings do not end it. */
function runningSince(marks: readonly Mark[]): number | null {
  const turns = marks.filter(({ kind }) => kind !== 'symptom');
  const last = turns[turns.length - 1];
  return last?.kind === 'start' ? last.ts : null;
}

/** What the user hears and sees, marked while the call goes on: no line tells it. */
function CaptureSession({ marks }: { marks: readonly Mark[] }) {
  const [words, setWords] = useState('');
  const since = runningSince(marks);
  const turn: MarkKind = since === null ? 'start' : 'end';
  const take = () => {
    setWords('');
    return words.trim();
  };
  const handleMark = () => mark(take());
  const handleNoSound = () => {
    const who = take();
    mark(who ? say('noSoundFrom', { who }) : say('noSoundLabel'));
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.nativeEvent.isComposing) handleMark();
  };

  return (
    <Card>
      <SettingTile
        title={say('sessionTitle')}
        description={
          <span role="status">
            {since === null ? say('sessionIdle') : say('sessionRunning', { time: timeOf(since) })}
          </span>
        }
        after={
          <CardButton onClick={() => mark('', turn)}>
            {say(since === null ? 'sessionStart' : 'sessionEnd')}
          </CardButton>
        }
      >
        {since !== null && (
          <Box wrap="Wrap" gap="100" alignItems="Center">
            <CardButton onClick={() => mark(say('audioCut'))}>{say('audioCut')}</CardButton>
            <CardButton onClick={() => mark(say('videoFroze'))}>{say('videoFroze')}</CardButton>
            <Input
              size="300"
              radii="300"
              variant="Background"
              aria-label={say('words')}
              placeholder={say('wordsHint')}
              maxLength={150}
              value={words}
              onChange={(event) => setWords(event.currentTarget.value)}
              onKeyDown={handleKeyDown}
            />
            <CardButton onClick={handleNoSound}>{say('noSound')}</CardButton>
            <CardButton onClick={handleMark}>{say('mark')}</CardButton>
          </Box>
        )}
        {marks.map(({ ts, kind, label }, at) => (
          // eslint-disable-next-line react/no-array-index-key
          <Text key={at} size="T200" priority="300">
            {timeOf(ts)} {label || say(kind === 'symptom' ? 'marked' : kind)}
          </Text>
        ))}
      </SettingTile>
    </Card>
  );
}

/** What a button's last click came to; of a report, how many lines there were at that click. */
type Answer = { to: 'report' | 'queries' | 'clear'; text: string; total?: number };

export function CryptoDiagnostics() {
  const mx = useMatrixClient();
  const { counts, status, marks } = useCryptoDiag();
  const analysis = useAnalysis(counts);
  const [answer, setAnswer] = useState<Answer>();
  const [downloading, setDownloading] = useState(false);
  const [preview, setPreview] = useState<string | null>(null);

  const { total } = counts;

  const handleDownload = async () => {
    setDownloading(true);
    try {
      const name = await downloadReport(mx, { sdkVersion });
      setAnswer({ to: 'report', text: say('downloaded', { name }), total });
    } catch (error) {
      setAnswer({ to: 'report', text: say('downloadFailed', { reason: reasonOf(error) }), total });
    }
    setDownloading(false);
  };

  const handlePreview = async () => {
    if (preview !== null) {
      setPreview(null);
      return;
    }
    try {
      setPreview(await collectReport(mx, { sdkVersion }));
    } catch (error) {
      setAnswer({ to: 'report', text: say('downloadFailed', { reason: reasonOf(error) }), total });
    }
  };

  // The text is there already: some browsers open the clipboard only in the click itself.
  const handleCopy = async (queries: string) => {
    try {
      await navigator.clipboard.writeText(queries);
      setAnswer({ to: 'queries', text: say('queriesCopied') });
    } catch (error) {
      setAnswer({ to: 'queries', text: say('queriesFailed', { reason: reasonOf(error) }) });
    }
  };

  const clearing = useConfirmed(() => {
    clear();
    setAnswer({ to: 'clear', text: say('cleared') });
  });

  const failures = counts.byMeaning.failure;
  const watching = status.state === 'capturing' || status.state === 'starting';
  const seesAll = watching && status.blindFrames === 0;
  const families = familiesOf(counts);
  const quiet = quietLine(counts);
  const newer = answer?.total === undefined ? 0 : total - answer.total;
  const earlier = preview === null ? 0 : JSON.parse(preview).earlierPages.length;
  /** What a button does, and how it went: the second half is what a screen reader says when it changes. */
  const answered = (to: string, description: string) => (
    <>
      {description} <span role="status">{answer?.to === to ? answer.text : ''}</span>
      {to === 'report' && newer > 0 && <span> {say('newer', { count: newer })}</span>}
    </>
  );

  return (
    <Box direction="Column" gap="100">
      <Text size="L400">{say('title')}</Text>
      <Card>
        <SettingTile
          title={say('failuresTitle')}
          description={
            <span style={seesAll ? undefined : { color: color.Critical.Main }}>
              {captureLine(status)}
            </span>
          }
          after={
            <Badge
              variant={failures > 0 || !watching ? 'Critical' : 'Secondary'}
              fill={failures > 0 ? 'Solid' : 'Soft'}
              size="500"
              radii="300"
            >
              <Text as="span" size="L400">
                {failures > 0 || watching
                  ? say('badge', { count: failures })
                  : say('badgeNotWatching')}
              </Text>
            </Badge>
          }
        >
          {families.length > 0 && (
            <Text size="T200">
              {families.map((family, at) => (
                <React.Fragment key={family}>
                  {at > 0 && ' · '}
                  <span style={{ whiteSpace: 'nowrap' }}>{family}</span>
                </React.Fragment>
              ))}
            </Text>
          )}
          {quiet && (
            <Text size="T200" priority="300">
              {quiet}
            </Text>
          )}
        </SettingTile>
      </Card>
      <CaptureSession marks={marks} />
      {analysis && (
        <Card>
          <SettingTile
            title={say('analysisTitle')}
            description={answered('queries', analysis.summary)}
            after={
              failures > 0 && (
                <CardButton onClick={() => handleCopy(analysis.queries)}>
                  {say('copyQueries')}
                </CardButton>
              )
            }
          />
        </Card>
      )}
      <Card>
        <SettingTile
          title={say('reportTitle')}
          description={answered('report', say('reportDescription'))}
          after={
            <Box shrink="No" gap="100">
              <CardButton onClick={handlePreview}>
                {say(preview === null ? 'preview' : 'hidePreview')}
              </CardButton>
              <CardButton onClick={handleDownload} disabled={downloading}>
                {say('download')}
              </CardButton>
            </Box>
          }
        >
          {earlier > 0 && <Text size="T200">{say('previewEarlier', { count: earlier })}</Text>}
          {preview !== null && (
            <Text
              as="pre"
              size="T200"
              tabIndex={0}
              aria-label={say('preview')}
              style={{ maxHeight: '24rem', overflow: 'auto' }}
            >
              {preview}
            </Text>
          )}
        </SettingTile>
      </Card>
      <Card>
        <SettingTile
          title={say('clearTitle')}
          description={answered('clear', say('clearDescription'))}
          after={
            <CardButton
              onClick={clearing.click}
              onBlur={clearing.cancel}
              critical={clearing.asking}
            >
              {say(clearing.asking ? 'clearConfirm' : 'clear')}
            </CardButton>
          }
        />
      </Card>
    </Box>
  );
}
